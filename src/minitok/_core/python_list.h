/* A Python list that is filled while it is not known how long it will be.
 *
 * It has room for more items than its size says, like every list that was appended to; Python's own functions would
 * touch all of that room first, or want an object call for each item. Until the list is finished the garbage
 * collector does not know of it, so that nobody else can come across it. Not for Pythons without the global lock,
 * whose lists keep their room in another way. */
#ifndef MINITOK_PYTHON_LIST_H
#define MINITOK_PYTHON_LIST_H

#include <Python.h>

/* An empty list, unknown to the garbage collector; NULL with MemoryError set. */
static inline PyObject *mt_list_new(void) {
    PyObject *list = PyList_New(0);
    if (list != NULL) {
        PyObject_GC_UnTrack(list);
    }
    return list;
}

#if !defined(Py_GIL_DISABLED)

/* Make room for so many items in all; -1 with MemoryError set. */
static inline int mt_list_make_room(PyObject *object, Py_ssize_t room) {
    PyListObject *list = (PyListObject *)object;
    if ((size_t)room > PY_SSIZE_T_MAX / sizeof(PyObject *)) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject **items = PyMem_Realloc(list->ob_item, (size_t)room * sizeof(PyObject *));
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    list->ob_item = items;
    list->allocated = room;
    return 0;
}

#else

static inline int mt_list_make_room(PyObject *object, Py_ssize_t room) {
    (void)object;
    (void)room;
    PyErr_SetString(PyExc_SystemError, "not for this Python");
    return -1;
}

#endif

/* Say how many items there are now. */
static inline void mt_list_set_size(PyObject *list, Py_ssize_t size) {
    Py_SET_SIZE(list, size);
}

static inline void mt_list_finish(PyObject *list) {
    PyObject_GC_Track(list);
}

#endif
