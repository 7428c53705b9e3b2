"""Finds what our program needs of CUDA beside the driver, and lays it out where it looks.

Kernels that call exp, erf or tanh are linked with libdevice.10.bc, which our program looks for under
CUDA_PATH only. It is with the toolkit (beside nvcc), in NVIDIA's Python packages or in Triton's; where
its place is not a toolkit's, a folder becomes one with a link.

    python locate.py FOLDER     tells what it finds, as JSON
"""

import ctypes
import importlib.util
import json
import os
import pathlib
import shutil
import sys

INSIDE = pathlib.Path("nvvm/libdevice/libdevice.10.bc")
ROOTS = ["/usr/local/cuda", *sorted(map(str, pathlib.Path("/usr/local").glob("cuda-*")), reverse=True),
         "/opt/cuda", "/usr/lib/cuda", "/usr"]
# Where the driver's libraries lie in containers whose loader does not know them.
DRIVERS = ["/usr/local/nvidia/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib/wsl/lib"]


def package_folders(name):
    """Where a Python package lies; it is not imported."""
    found = importlib.util.find_spec(name)
    places = found.submodule_search_locations if found else None
    return [pathlib.Path(place) for place in places or []]


def toolkits(environment):
    """Toolkits, likeliest first."""
    for name in ("CUDA_PATH", "CUDA_HOME"):
        if path := environment.get(name):
            yield pathlib.Path(path)
    if nvcc := shutil.which("nvcc", path=environment.get("PATH")):
        yield pathlib.Path(nvcc).resolve().parent.parent
    yield from map(pathlib.Path, environment.get("LOCATE_ROOTS", ":".join(ROOTS)).split(":"))


def libdevice(environment):
    """The toolkit that has it, or `None` and the file alone; both `None` where there is none."""
    for root in toolkits(environment):
        if (root / INSIDE).is_file():
            return root, root / INSIDE
    if environment.get("LOCATE_PACKAGES") == "none":
        return None, None
    alone = [path for folder in package_folders("nvidia") for path in sorted(folder.glob(f"*/{INSIDE}"))]
    alone += [folder / "backends/nvidia/lib/libdevice.10.bc" for folder in package_folders("triton")]
    return None, next((path for path in alone if path.is_file()), None)


def loads(name):
    try:
        ctypes.CDLL(name)
        return True
    except OSError:
        return False


def link(place, target):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def libraries(environment, folder, brought):
    """Folders for the loader: what is set, the driver's where the loader does not find it, NVRTC's, and of
    what we bring only what is missing here, since an older library must not stand before a newer one."""
    places = [part for part in environment.get("LD_LIBRARY_PATH", "").split(":") if part]
    if not loads("libcuda.so.1"):
        places += [place for place in DRIVERS if pathlib.Path(place, "libcuda.so.1").exists()]
    candidates = [root / part for root in toolkits(environment) for part in ("lib64", "targets/x86_64-linux/lib")]
    candidates += [place for root in package_folders("nvidia") for place in sorted(root.glob("*/lib"))]
    places += [str(place) for place in candidates if any(place.glob("libnvrtc.so*"))]
    missing = [file for file in sorted(brought.glob("*.so*")) if not loads(file.name)]
    for file in missing:
        link(folder / "lib" / file.name, file.resolve())
    if missing:
        places.append(str(folder / "lib"))
    return ":".join(dict.fromkeys(places))


def lay_out(environment, folder, brought):
    """The variables that our program is to see, and where libdevice is, if anywhere. They are for our
    program alone: another toolkit's libraries must not come before PyTorch's own."""
    root, file = libdevice(environment)
    if file and not root:
        root = folder / "cuda"
        link(root / INSIDE, file)
    variables = {"LD_LIBRARY_PATH": libraries(environment, folder, brought)}
    if root:
        variables["CUDA_PATH"] = str(root)
    return variables, str(file) if file else None


def main():
    variables, file = lay_out(os.environ, pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(__file__).parent / "lib")
    print(json.dumps({"libdevice": file, "variables": variables}))


if __name__ == "__main__":
    main()
