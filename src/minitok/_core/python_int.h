/* Python's int objects, read without a call. The one header of the core that knows Python. */
#ifndef MINITOK_PYTHON_INT_H
#define MINITOK_PYTHON_INT_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether other threads may change a list while this one reads it. */
#if defined(Py_GIL_DISABLED)
static const bool mt_lists_may_change = true;
#else
static const bool mt_lists_may_change = false;
#endif

/* The value of an exact int from 0 to 2^30 - 1; -1 for any other object, which the caller has to look at. */
static inline int64_t mt_small_int(PyObject *object) {
    if (!PyLong_CheckExact(object)) {
        return -1;
    }
#if PY_VERSION_HEX >= 0x030C0000
    PyLongObject *number = (PyLongObject *)object;
    if (!PyUnstable_Long_IsCompact(number)) {
        return -1;
    }
    Py_ssize_t value = PyUnstable_Long_CompactValue(number);
    return value < 0 ? -1 : (int64_t)value;
#else
    /* As many digits of at least 15 bits as its size says; negative if the number is. */
    Py_ssize_t size = Py_SIZE(object);
    return size == 1 ? (int64_t)((PyLongObject *)object)->ob_digit[0] : size == 0 ? 0 : -1;
#endif
}

#endif
