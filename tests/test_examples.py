"""Each program in `examples/` runs as it stands, and prints what it should."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

#: What each prints at the end of its output, with the packages that are not installed for all tests.
PRINTED = {
    "read_with_numpy": "8 ids: 898 4041 1560 358 270 1447 46 32767\n",
    "parquet_in_and_out": "{'body': 'good night', 'source': 'c', 'ids': [9709, 1574]}\n",
    "huggingface_datasets": "8301 ids\n",
    "pytorch_dataset": "64 windows of 128 ids\n",
    "token_counter": "{'detail': \"there is no encoding 'none'; there are: minitok_32k\"}\n",
}

#: What `pytorch_dataset` uses of PyTorch, by numpy, where it is not installed: it is too large for every run.
STAND_IN = """
import random
import numpy

class Dataset:
    def __class_getitem__(cls, item):
        return cls

class DataLoader:
    def __init__(self, dataset, batch_size, shuffle):
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle

    def __iter__(self):
        numbers = random.sample(range(len(self.dataset)), len(self.dataset))
        for start in range(0, len(numbers), self.batch_size):
            pairs = [self.dataset[number] for number in numbers[start : start + self.batch_size]]
            yield tuple(numpy.stack(side) for side in zip(*pairs))
"""

pytestmark = pytest.mark.once


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where programs find PyTorch, or what stands for it."""
    if find_spec("torch") is None:
        package = tmp_path / "torch" / "utils" / "data"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(STAND_IN, encoding="utf-8")
        (package.parent / "__init__.py").touch()
        (package.parent.parent / "__init__.py").write_text("def from_numpy(array): return array\n", encoding="utf-8")
    return os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])


def run(program: str, path: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path, "HF_DATASETS_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done
    return done.stdout


@pytest.mark.parametrize("name", PRINTED)
def test_an_example(name: str, path: str) -> None:
    program = f"import runpy; runpy.run_path({str(EXAMPLES / f'{name}.py')!r}, run_name='__main__')"
    assert run(program, path).endswith(PRINTED[name])


def test_all_examples_are_here_and_in_their_table() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert names == set(PRINTED)
    assert all(f"[{name}.py]({name}.py)" in table for name in names)


def test_windows_of_pytorch(path: str) -> None:
    """Several shards; copies in other processes; every id is in the right place."""
    program = f"""
import pickle, runpy, tempfile
from pathlib import Path
import minitok
Windows = runpy.run_path({str(EXAMPLES / "pytorch_dataset.py")!r})["Windows"]
globals()["Windows"] = Windows
Windows.__module__ = "__main__"
enc = minitok.get_encoding("minitok_32k")
with tempfile.TemporaryDirectory() as folder:
    text, out = Path(folder, "a.txt"), Path(folder, "ids")
    text.write_text("<|endoftext|>".join(f"This is document {{i}}." for i in range(300)))
    made = minitok.encode_dataset(text, out, encoding=enc, shard_size=2000)
    assert len(made["shards"]) > 2
    data = minitok.open_dataset(out, encoding=enc)
    expected = []
    for number in range(len(made["shards"])):
        ids = data.shard(number)[0].tolist()
        expected += [ids[i : i + 17] for i in range(0, len(ids) - 16, 16)]
    windows = pickle.loads(pickle.dumps(Windows(out, 16)))
    found = [[*ids.tolist(), int(targets[-1])] for ids, targets in map(windows.__getitem__, range(len(windows)))]
    assert found == expected, (found[:2], expected[:2])
    for number in (-1, len(windows)):
        try:
            windows[number]
        except IndexError:
            continue
        raise AssertionError(number)
"""
    run(program, path)


@pytest.mark.skipif(find_spec("torch") is None, reason="what stands for PyTorch has no workers")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_pytorch(method: str, tmp_path: Path) -> None:
    """Each worker maps the shards itself; together they give every window once."""
    program = tmp_path / "program.py"
    program.write_text(
        f"""
import sys, tempfile
from pathlib import Path
import minitok
sys.path.insert(0, {str(EXAMPLES)!r})
from pytorch_dataset import Windows
from torch.utils.data import DataLoader

def all_windows(windows, **options):
    return sorted(ids.tolist() for batch, _ in DataLoader(windows, batch_size=16, **options) for ids in batch)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        text, out = Path(folder, "a.txt"), Path(folder, "ids")
        text.write_text("<|endoftext|>".join(f"This is document {{i}}." for i in range(300)))
        minitok.encode_dataset(text, out, encoding=minitok.get_encoding("minitok_32k"), shard_size=2000)
        windows = Windows(out, 16)
        assert all_windows(windows) == all_windows(windows, num_workers=2, multiprocessing_context={method!r})
""",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
