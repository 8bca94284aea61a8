"""What leaves a candidate arrives as it was; whatever anybody sends, the reader makes plain data of it or says no."""

import math
import random
import struct
import subprocess
import sys
import tracemalloc
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.candidate import wire
from course_lib.candidate.wire import MAX_FRAME, WireError, decode, encode, frame, frame_length
from course_lib.checks.data import MAX_DEPTH, MAX_ITEMS, Opaque, Raised

# No deadline: on a busy machine one slow example says nothing of the code.
quick = settings(deadline=None, max_examples=200)

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
KEYS = TEXT | st.integers() | st.booleans()
SHAPES = st.lists(st.integers(0, 4), max_size=5)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    """Any dtype, any small shape, any bits: NaNs with payloads and denormals among them."""
    dtype = draw(st.sampled_from(wire._DTYPES))
    shape = draw(SHAPES)
    count = math.prod(shape) * dtype.itemsize
    raw = draw(st.binary(min_size=count, max_size=count))
    if not raw:
        return torch.empty(shape, dtype=dtype)
    if dtype is torch.bool:
        raw = bytes(byte & 1 for byte in raw)
    return torch.frombuffer(bytearray(raw), dtype=dtype).reshape(shape)


RAISED = st.builds(Raised, st.lists(TEXT, min_size=1, max_size=4).map(tuple), TEXT)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(1 - 2**511, 2**511 - 1),
    st.floats(allow_nan=True),
    TEXT,
    tensors(),
    RAISED,
    st.builds(Opaque, TEXT),
)
PLAIN = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


def same(one: Any, other: Any) -> bool:
    """Of the same exact types, and bit for bit."""
    if type(one) is not type(other):
        return False
    if type(one) is torch.Tensor:
        return (one.dtype, one.shape) == (other.dtype, other.shape) and bits(one) == bits(other)
    if type(one) is float:
        return struct.pack(">d", one) == struct.pack(">d", other)
    if type(one) is list:
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is dict:
        keys = [(type(key), key) for key in one] == [(type(key), key) for key in other]
        return keys and all(map(same, one.values(), other.values()))
    return bool(one == other)


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


# ----------------------------------------------------------------------------------------------------- there and back


@quick
@given(PLAIN)
def test_plain_data_arrive_as_they_were(value: Any) -> None:
    assert same(decode(encode(value)), value)


@pytest.mark.parametrize("dtype", wire._DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3), (2, 0, 3), (1,) * 32], ids=str)
def test_every_dtype_and_shape_arrives(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = torch.testing.make_tensor(shape, dtype=dtype, device="cpu")
    assert same(decode(encode(tensor)), tensor)


@pytest.mark.parametrize(
    "view",
    [
        torch.randn(4, 6).t(),
        torch.randn(4, 6)[::2, 1:5],
        torch.randn(3, 1).expand(3, 5),
        torch.randn(3, dtype=torch.complex64).conj(),
        torch.randn(3, dtype=torch.complex64).conj().imag,
        torch.randn(3, requires_grad=True),
    ],
    ids=["transposed", "strided", "expanded", "conjugate", "negative", "with gradient"],
)
def test_a_view_arrives_as_its_numbers(view: torch.Tensor) -> None:
    read = decode(encode(view))
    assert torch.equal(read, view)
    assert not read.requires_grad


def test_numbers_that_are_none_keep_their_bits() -> None:
    payload = struct.unpack(">d", bytes.fromhex("7ff8deadbeef0001"))[0]
    for value in (payload, -payload, math.inf, -math.inf, -0.0, 5e-324):
        assert same(decode(encode(value)), value)


def test_a_tuple_arrives_as_a_list() -> None:
    assert decode(encode((1, (2,)))) == [1, [2]]


@pytest.mark.parametrize(("sent", "read"), [("a\ud800b", "a?b"), ("a\x00b", "ab")])
def test_what_no_file_takes_is_left_out_of_texts(sent: str, read: str) -> None:
    assert decode(encode(sent)) == read
    assert decode(encode({sent: 1})) == {read: 1}


# --------------------------------------------------------------------------------------- what there is no room for


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (2**511, "a whole number of 512 bits"),
        (10**1000, "a whole number of 3322 bits"),
        ({1, 2}, "a set"),
        (object, "a type"),
        (b"raw", "a bytes"),
        (torch.nn.Parameter(torch.ones(1)), "a Parameter"),
        (torch.ones(2).to_sparse(), "a tensor of dtype torch.float32 with 1 axes"),
        (torch.empty(2**41, 0), "a tensor of dtype torch.float32 with 2 axes"),
        (torch.ones((1,) * 33), "a tensor of dtype torch.float32 with 33 axes"),
        ({None: 1}, "a dict with keys that are not different texts or whole numbers"),
        ({(1, 2): 1}, "a dict with keys that are not different texts or whole numbers"),
        ({2**600: 1}, "a dict with keys that are not different texts or whole numbers"),
        ({"?": 1, "\ud800": 2}, "a dict with keys that are not different texts or whole numbers"),
        ("x" * 8_000_001, "a text of 8000001 characters"),
        (Opaque("y" * 300), "y" * 200),
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_what_cannot_travel_is_named(value: Any, kind: str) -> None:
    assert decode(encode([value, 1])) == [Opaque(kind), 1]


def test_containers_travel_up_to_a_depth() -> None:
    deepest = MAX_DEPTH + 8
    assert decode(encode(nested(deepest - 1))) == nested(deepest - 1)
    for value in (nested(100_000), [nested(deepest)], {"a": nested(deepest)}):
        assert b"nested too deeply" in encode(value)
        decode(encode(value))


def test_a_cycle_ends() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert b"nested too deeply" in encode(circle)
    ring: dict[str, Any] = {}
    ring["again"] = [ring]
    decode(encode(ring))


@pytest.mark.parametrize(
    "value",
    [
        [None] * (2 * MAX_ITEMS),
        [[None] * (2 * MAX_ITEMS - 100), *[None] * 200_000],
        [*[None] * 200_000, [None] * (2 * MAX_ITEMS - 100)],
        [{number: [number] for number in range(100)}] * 3000,
        [Raised(("E",) * 40)] * 20_000,
    ],
    ids=["long", "long in front", "long behind", "many pairs", "many exceptions"],
)
def test_items_travel_up_to_a_number(value: Any) -> None:
    data = encode(value)
    assert b"too many items" in data
    decode(data)


def test_an_exception_travels_with_some_of_its_names() -> None:
    read = decode(encode(Raised(("E" * 300,) * 60, "m" * 200_000)))
    assert read == Raised(("E" * 200,) * 50, "m" * 100_000)


@pytest.mark.parametrize("depth", range(44, 52))
def test_an_exception_far_inside_can_be_read(depth: int) -> None:
    value: Any = Raised(("ValueError", "Exception"), "no")
    for _ in range(depth):
        value = [value]
    decode(encode(value))


ODD_KEYS = st.none() | st.binary(max_size=5) | st.integers(2**500, 2**520) | st.text(max_size=5)
ODD = st.recursive(PLAIN | ODD_KEYS, lambda inner: st.lists(inner) | st.dictionaries(ODD_KEYS, inner), max_leaves=8)


@quick
@given(ODD)
def test_whatever_is_encoded_can_be_decoded(value: Any) -> None:
    decode(encode(value))


# ------------------------------------------------------------------------------------------- what anybody may send

SAMPLES = [
    encode(value)
    for value in (
        [7, {"outputs": [{"output_type": "stream", "name": "stdout", "text": "häh 😀"}], "count": 3}],
        [1, {"data": torch.randn(2, 3), "stopped": None, "place": "", "calls": [["f(1)", "2"]], "refused": []}],
        {"x": [Raised(("ValueError", "Exception"), "no"), Opaque("a set"), -(2**70), 0.1, True, None]},
        [torch.zeros(0, 3), torch.tensor(True), torch.tensor([True, False]), torch.arange(9)],
    )
]


def read_or_refused(payload: bytes) -> Any:
    """Decode; everything but a `WireError` is a failure. What came is plain data, exactly, and sends as it came."""
    try:
        value = decode(payload)
    except WireError:
        return None
    assert exactly_plain(value)
    assert same(decode(encode(value)), value)
    return value


def exactly_plain(value: Any) -> bool:
    kind = type(value)
    if kind is list:
        return all(map(exactly_plain, value))
    if kind is dict:
        return all(type(key) in (str, int, bool) for key in value) and all(map(exactly_plain, value.values()))
    if kind is torch.Tensor:
        return value.layout is torch.strided and not value.requires_grad and value.is_contiguous()
    if kind is Raised:
        return type(value.kinds) is tuple and all(type(name) is str for name in (*value.kinds, value.message))
    if kind is Opaque:
        return type(value.kind) is str
    return value is None or kind in (bool, int, float, str)


@quick
@given(st.binary(max_size=200))
def test_random_bytes_are_data_or_refused(payload: bytes) -> None:
    read_or_refused(payload)


@quick
@given(st.lists(st.sampled_from([*(bytes([tag]) for tag in b"NTFifsldtRO"), b"\0\0\0\2", b"\0", b"\1", b"\xff"])))
def test_random_pieces_of_the_format_are_data_or_refused(pieces: list[bytes]) -> None:
    read_or_refused(b"".join(pieces))


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_beginning_of_a_message_is_refused(sample: bytes) -> None:
    for end in range(len(sample)):
        with pytest.raises(WireError):
            decode(sample[:end])
    with pytest.raises(WireError, match="1 bytes after the end of the data"):
        decode(sample + b"N")


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_message_with_one_byte_changed_is_data_or_refused(sample: bytes) -> None:
    for at in range(len(sample)):
        for byte in {0, 1, 2, 127, 128, 255, sample[at] ^ 1, sample[at] ^ 0x80, *b"NTFifsldtRO"}:
            read_or_refused(sample[:at] + bytes([byte]) + sample[at + 1 :])


def test_messages_spliced_together_are_data_or_refused() -> None:
    chance = random.Random(1)
    for _ in range(3000):
        one, other = chance.choice(SAMPLES), chance.choice(SAMPLES)
        start, end = sorted(chance.choices(range(len(other) + 1), k=2))
        cut = chance.randrange(len(one) + 1)
        read_or_refused(one[:cut] + other[start:end] + one[cut + chance.randrange(10) :])


MANY = b"\xff\xff\xff\xff"


def tensor_header(code: int, *shape: int) -> bytes:
    return b"t" + bytes([code, len(shape)]) + b"".join(struct.pack(">Q", size) for size in shape)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"?",
        b"n",
        b"l" + MANY,
        b"d" + MANY + b"N" * 10,
        b"s" + MANY,
        b"s\x00\x00\x00\x02\xff\xfe",
        b"s\x00\x00\x00\x03\xed\xa0\x80",
        b"O" + MANY,
        b"i\x00",
        b"i\x41" + b"\x01" * 65,
        b"R" + encode([]) + encode("no"),
        b"R" + encode([1]) + encode("no"),
        b"R" + encode("E") + encode("no"),
        b"R" + encode(["E"] * 51) + encode("no"),
        b"R" + encode(["E"]) + encode(None),
        b"d\x00\x00\x00\x01" + encode(1.0) + b"N",
        b"d\x00\x00\x00\x01" + encode([]) + b"N",
        b"d\x00\x00\x00\x02" + 2 * (encode("a") + b"N"),
        b"d\x00\x00\x00\x02" + encode(1) + b"N" + encode(True) + b"N",
        tensor_header(12, 1) + b"\x00" * 16,
        tensor_header(8, 2**63, 2**63),
        tensor_header(8, 0, 2**62, 2**62),
        tensor_header(8, *[2**40] * 32),
        tensor_header(8, *[1] * 33) + b"\x00" * 4,
        tensor_header(8, 2**30),
        tensor_header(0, 1) + b"\x02",
        (b"l\x00\x00\x00\x01") * 100_000 + b"N",
        (b"R") * 100_000,
        b"l" + struct.pack(">I", 500_000) + b"N" * 500_000,
    ],
    ids=lambda payload: payload[:12].hex() or "nothing",
)
def test_a_message_that_lies_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode(payload)


def test_a_refusal_costs_nothing_of_what_was_announced() -> None:
    tracemalloc.start()
    try:
        for payload in (b"l" + MANY, b"s" + MANY, b"d" + MANY, tensor_header(8, 2**38), tensor_header(8, 0, 2**40, 2)):
            with pytest.raises(WireError):
                decode(payload)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_frame_announces_what_it_holds() -> None:
    data = frame(b"12345")
    assert frame_length(data[: wire.HEADER_BYTES]) == 5
    with pytest.raises(WireError, match=f"a frame of {MAX_FRAME + 1} bytes was announced; {MAX_FRAME} are allowed"):
        frame_length((MAX_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(WireError, match="are allowed"):
        decode(b"N" * (MAX_FRAME + 1))


HOSTILE = {
    "nothings": "b'l' + (len(rest)).to_bytes(4, 'big') + rest",
    "texts": "b'l' + (12).to_bytes(4, 'big') + 12 * (b's' + (5_000_000).to_bytes(4, 'big') + bytes(5_000_000))",
    "a dict": "b'd' + (9_000_000).to_bytes(4, 'big') + ints(250_000) + bytes(60_000_000)",
    "a tensor": "b't' + bytes([8, 1]) + (15_000_000).to_bytes(8, 'big') + bytes(60_000_000)",
    "bools": "b't' + bytes([0, 1]) + (60_000_000).to_bytes(8, 'big') + bytes(60_000_000)",
    "empty tensors": "b'l' + (6_000_000).to_bytes(4, 'big') + 6_000_000 * (b't' + bytes([8, 1]) + bytes(8))",
}
MEASURE = """
import resource, time
from course_lib.candidate.wire import WireError, decode
def ints(most):
    return b''.join(b'i\\4' + n.to_bytes(4, 'big') + b'N' for n in range(most))
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
rest = b'l\\0\\0\\0\\0' * 12_000_000
payload = {payload}
del rest
with open('/proc/self/statm') as file:
    size = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 4 * 64_000_000, -1))
began = time.process_time()
try:
    decode(payload)
except WireError:
    pass
del payload
assert time.process_time() - began < 10
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measured by a limit that Linux enforces")
def test_a_hostile_frame_takes_no_more_than_a_few_times_its_size() -> None:
    # One process for all, as importing torch takes the most time.
    code = "\n".join(MEASURE.format(payload=payload) for payload in HOSTILE.values())
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
