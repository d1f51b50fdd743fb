"""Segments are read whatever happened to them."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.exchange import Record
from penstock.ledger.journal.format import (
    SegmentHeader,
    file_name,
    frame,
    header_frame,
    parse_file_name,
    read_header,
    scan,
)
from tests.ledger.doubles import opened, refused, settled

HEADER = SegmentHeader(format=1, boot="b1", number=1, writer="gateway", created_ms=1)


def frames(count: int = 4) -> list[bytes]:
    """A header and some records."""
    events = [opened(1), settled(1), refused(2), opened(3)]
    records = [Record(number + 1, events[number % 4]) for number in range(count)]
    return [header_frame(HEADER), *(frame(msgspec.msgpack.encode(record)) for record in records)]


def seqs(data: bytes, **how: bool) -> list[int]:
    """The sequence numbers that a complete read finds."""
    return [record.seq for record in scan(data, complete=True, **{"final": True, **how}).records]


def test_a_segment_reads_back_what_was_written() -> None:
    """Header and records survive; zeros behind them are not yet written."""
    data = b"".join(frames()) + bytes(100)
    found = scan(data, complete=True, final=False)
    assert [record.seq for record in found.records] == [1, 2, 3, 4]
    assert found.records[0].event == opened(1)
    assert (found.end, found.skipped_bytes, found.waiting) == (len(data) - 100, 0, False)
    assert found.ends[-1] == found.end
    assert read_header(data) == HEADER


@settings(deadline=None)
@given(st.data())
def test_a_torn_place_costs_only_the_record_it_is_in(data: st.DataObject) -> None:
    """One damaged byte anywhere loses at most one record, and the bytes lost are counted."""
    parts = frames()
    whole = bytearray(b"".join(parts))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    hit = next(i for i in range(len(parts)) if place < len(b"".join(parts[: i + 1])))
    found = scan(bytes(whole) + bytes(50), complete=True, final=True)
    expected = [seq for seq in (1, 2, 3, 4) if seq != hit]
    assert [record.seq for record in found.records] == expected
    assert found.skipped_places == 1
    assert found.skipped_bytes in range(1, len(parts[hit]) + 1)


@pytest.mark.parametrize("final", [True, False])
def test_a_segment_cut_at_any_byte_gives_its_whole_records(final: bool) -> None:
    """However much of the last group reached the disk, every complete record before the cut is read."""
    parts = frames()
    whole = b"".join(parts)
    for cut in range(len(whole) + 1):
        ends = [len(b"".join(parts[: i + 1])) for i in range(1, len(parts))]
        expected = sum(end <= cut for end in ends)
        found = scan(whole[:cut] + bytes(len(whole) - cut + 64), complete=True, final=final)
        # Zeros at a record's own end may stand for bytes that were cut.
        assert expected <= len(found.records) <= expected + 1
        assert [record.seq for record in found.records] == list(range(1, len(found.records) + 1))


def test_a_live_segment_is_read_on_where_the_write_was_under_way() -> None:
    """Half a record at the end is waited for, and read once the rest is there."""
    parts = frames()
    half = b"".join(parts)[:-10]
    found = scan(half, complete=True, final=False)
    assert [record.seq for record in found.records] == [1, 2, 3]
    assert found.skipped_places == 0
    rest = b"".join(parts)[found.end :]
    assert [record.seq for record in scan(rest, complete=True, final=False).records] == [4]


def test_a_hole_in_a_live_segment_is_passed_only_on_request() -> None:
    """A reader sees `waiting` first, because the hole may be filled a moment later."""
    parts = frames()
    parts[2] = parts[2][:20] + bytes(len(parts[2]) - 20)
    data = b"".join(parts)
    found = scan(data, complete=True, final=False)
    assert (found.waiting, len(found.records)) == (True, 1)
    assert seqs(data, final=False, skip_torn=True) == [1, 3, 4]


def test_a_stretch_that_ends_inside_a_record_asks_for_the_rest() -> None:
    """What looks broken in a part of a file is judged with the file's end in view."""
    data = b"".join(frames())
    found = scan(data[:-5], complete=False, final=True)
    assert (found.need_rest, len(found.records), found.skipped_places) == (True, 3, 0)


def test_a_zeroed_page_in_a_dead_segment_does_not_hide_what_follows() -> None:
    """After a loss of power, records behind zeros still count."""
    parts = frames()
    parts[1:3] = [bytes(len(parts[1]) + len(parts[2]))]
    assert seqs(b"".join(parts)) == [3, 4]


def test_later_versions_can_be_read() -> None:
    """A longer record is read without its new fields, an unknown event is skipped and counted."""
    raw = msgspec.msgpack.decode(msgspec.msgpack.encode(Record(1, settled(1))))
    raw[1].append("a later field")
    raw[1][1].append("another")
    raw.append("and here")
    longer = frame(msgspec.msgpack.encode(raw))
    unknown = frame(msgspec.msgpack.encode([2, ["zz", 1, 2]]))
    found = scan(longer + unknown + frames()[4], complete=True, final=True)
    assert [record.seq for record in found.records] == [1, 4]
    assert found.records[0].event == settled(1)
    assert (found.undecoded, found.skipped_places) == (1, 0)


def test_text_of_a_client_cannot_forge_a_frame() -> None:
    """The magic bytes are not UTF-8, so no tag can contain them."""
    with pytest.raises(UnicodeDecodeError):
        frame(b"x")[:4].decode()


def test_file_names_say_boot_and_number() -> None:
    """Names parse back, compressed or not; other files are nobody's segments."""
    assert parse_file_name(file_name("b1", 12)) == ("b1", 12)
    assert parse_file_name(file_name("b1", 12) + ".gz") == ("b1", 12)
    assert [parse_file_name(name) for name in (".b1-000001.journal.new", "x.txt", "b1-x.journal")] == [None] * 3
