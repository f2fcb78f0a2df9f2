"""The kept inputs of a target, which are many and small, as one file of text: each line is one input in base64.

    corpus.py unpack FILE FOLDER    writes each as a file, named as libFuzzer names them
    corpus.py pack FOLDER FILE      the other way, the shortest first, each once
"""

import base64
import hashlib
import pathlib
import sys


def unpack(file: pathlib.Path, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for line in file.read_text("ascii").splitlines():
        data = base64.b64decode(line, validate=True)
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(folder: pathlib.Path, file: pathlib.Path) -> None:
    inputs = {path.read_bytes() for path in folder.iterdir()}
    lines = sorted((base64.b64encode(data).decode("ascii") for data in inputs), key=lambda line: (len(line), line))
    file.write_text("".join(line + "\n" for line in lines), "ascii")


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack}[sys.argv[1]](pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
