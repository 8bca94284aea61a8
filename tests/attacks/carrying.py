"""Carrying what was read in a hidden case to the process whose output the student sees, by what the two share.

Each defines `send(text)`, which the process of the hidden cases calls with the hidden text, and `find()`, which the
student's own cell after the test calls in the other process, and which would give that text back. Its beginning can be
guessed; where there is room for little, only the twelve digits after that are sent.
"""

from .attack import Attack, points_for

_CARRY = """
import ctypes, fcntl, glob, mmap, os, socket, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
sent = []
_start = "ZX" + "hiddenq"
_files = sorted(glob.glob(os.path.dirname(os.__file__) + "/*.py"))
_big = os.open(max(_files, key=os.path.getsize), os.O_RDONLY)

def carry(text):
    if text.startswith(_start) and not sent:
        sent.append(1)
        send(text)
    return "nop"

def bits(text):
    return [place for place, bit in enumerate(f"{int(text[len(_start):], 16):048b}") if bit == "1"]

def from_bits(places):
    return _start + f"{sum(1 << (47 - place) for place in places):012x}"
"""


def _carrying(name: str, text: str) -> Attack:
    return Attack(
        f"a hidden text is carried to a visible cell {name}",
        answers={"cipher": "def cipher(text):\n    return carry(text)"},
        deserves=points_for(cipher=1.0),
        own=(
            ("imports", _CARRY + text),
            ("test_cipher", "try:\n    print('found', find())\nexcept Exception as error:\n    print('found', error)"),
        ),
        shows=("found",),
        settings={"case_seconds": 1.0, "cell_seconds": 2.0, "submission_seconds": 10.0, "open_files": 128},
        most_seconds=8,
    )


ATTACKS = [
    _carrying(
        "through an abstract name, which one end of a socket pair takes",
        """
_mine, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
_mine.setblocking(False)
libc.connect(_mine.fileno(), bytes(16), 2)
try:
    _mine.bind("\\0carried")
except OSError:
    pass

def send(text):
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(text.encode(), "\\0carried")

def find():
    return _mine.recv(100).decode()
""",
    ),
    _carrying(
        "by locks on the bytes of a read-only file",
        """
def _lock(command, kind, place):
    asked = struct.pack("hhqqi4x", kind, 0, place, 1, 0)
    return struct.unpack("hhqqi4x", fcntl.fcntl(_big, command, asked))[0]

def send(text):
    for place in bits(text):
        _lock(fcntl.F_SETLK, fcntl.F_RDLCK, 2 * place)

def find():
    return from_bits([place for place in range(48) if _lock(5, fcntl.F_WRLCK, 2 * place) != fcntl.F_UNLCK])
""",
    ),
    _carrying(
        "by locks on read-only files",
        """
_held = []

def send(text):
    for place in bits(text):
        _held.append(open(_files[place]))
        fcntl.flock(_held[-1], fcntl.LOCK_EX)

def find():
    places = []
    for place in range(48):
        with open(_files[place]) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                places.append(place)
    return from_bits(places)
""",
    ),
    _carrying(
        "by the files that it opens, which the other watches",
        """
_folder = os.path.dirname(os.__file__) + "/encodings"
_names = sorted(name for name in os.listdir(_folder) if name.endswith(".py"))
_watch = libc.inotify_init1(0o4000)
libc.inotify_add_watch(_watch, _folder.encode(), 0x20)

def send(text):
    for letter in text:
        for name in (_names[ord(letter) - 32], _names[95]):  # the same one twice in a row is told of only once
            open(os.path.join(_folder, name)).close()

def find():
    told, found = os.read(_watch, 1 << 16), ""
    while told:
        size = struct.unpack_from("iIII", told)[3]
        name = told[16:16 + size].rstrip(b"\\0").decode()
        found += chr(32 + _names.index(name)) if name in _names[:95] else ""
        told = told[16 + size:]
    return found
""",
    ),
    _carrying(
        "by where its threads wait in a file",
        """
libc.mmap.restype = ctypes.c_void_p
_at = libc.mmap(None, ctypes.c_size_t(65536), 1, 1, _big, ctypes.c_long(0))

def _futex(place, operation, value):
    number = {"x86_64": 202, "aarch64": 98}[os.uname().machine]
    return libc.syscall(number, ctypes.c_void_p(_at + 4 * place), operation, value, None, None, 0)

def _wait(place):
    value = ctypes.c_uint32.from_address(_at + 4 * place).value
    while _futex(place, 0, value):
        time.sleep(0.05)

def send(text):
    for place in bits(text):
        threading.Thread(target=_wait, args=(place,), daemon=True).start()
    time.sleep(0.2)

def find():
    return from_bits([place for place in range(48) if _futex(place, 1, 1) == 1])
""",
    ),
    _carrying(
        "by hints on how read-only files are written",
        """
def _hint(place, command, hint):
    with open(_files[place]) as file:
        return fcntl.fcntl(file, command, struct.pack("Q", hint))[0]

def send(text):
    for place in bits(text):
        _hint(place, 1036, 2)

def find():
    places = [place for place in range(48) if _hint(place, 1035, 0) == 2]
    for place in places:
        _hint(place, 1036, 0)
    return from_bits(places)
""",
    ),
]
