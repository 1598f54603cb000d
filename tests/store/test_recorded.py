"""What a run keeps in memory of its own records says the same as all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.recorded import Recorded
from reconciler.model.state import Binding, Going, Intent, Record, State, fold, in_flight, open_intents, went

NAMES = ("tag.a", "tag.b", "tag.c")
names = st.sampled_from(NAMES)
states = st.dictionaries(names, st.builds(Binding, id=st.sampled_from("123"), kind=st.just("tag")))
records = st.one_of(
    st.builds(Record, op=st.just("intent"), address=names, intent=st.none() | st.builds(
        Intent, address=names, kind=st.just("tag"), natural_key=st.just(["name", "A"])
    )),
    st.builds(
        Record, op=st.just("bind"), address=names,
        binding=st.builds(Binding, id=st.sampled_from("456"), kind=st.just("tag"), incomplete=st.booleans()),
    ),
    st.builds(Record, op=st.sampled_from(["drop", "failed"]), address=names),
    st.builds(Record, op=st.just("move"), moves=st.sampled_from([{}, {"tag.a": "tag.b", "tag.b": "tag.a"}])),
    st.builds(
        Record, op=st.just("counted"), going=st.builds(
            Going, address=names, parent=names, plan=st.just("p"), counts=st.just({"lost deals in it": 1})
        ),
    ),
)  # fmt: skip


def meant(records: list[Record]) -> list[Record]:
    """Let each move that is no swap lead to an address that nothing had: a plan never moves to one that is taken."""
    return [
        one.model_copy(update={"moves": {NAMES[place % 3]: f"tag.new{place}"}}) if one.op == "move" and not one.moves
        else one
        for place, one in enumerate(records)
    ]  # fmt: skip


@given(states, st.lists(records, max_size=4), st.lists(records, max_size=12))
def test_void_records_say_nothing(resources: dict[str, Binding], found: list[Record], own: list[Record]) -> None:
    """State, open creates, writes without an answer and what was counted follow from what is kept as from everything;
    what was found, of runs that died, is kept whole.
    """
    every = meant([*found, *own])
    found, own = every[: len(found)], every[len(found) :]
    base, kept = State(lineage="l", resources=resources), Recorded(found)
    for record in own:
        kept.add(record)
    assert list(fold(base, kept).resources.items()) == list(fold(base, every).resources.items())
    assert open_intents(kept) == open_intents(every)
    assert in_flight(kept) == in_flight(every)
    assert went(kept, "p") == went(every, "p")
    assert list(kept)[: len(found)] == found
    for name in NAMES:
        last = kept.result(name)
        assert last is None or last.binding == fold(base, every).resources.get(name)


def test_a_create_is_one_record() -> None:
    """Intent, result and what reading back learned of ten thousand objects are ten thousand records."""
    kept = Recorded()
    for number in range(10_000):
        address = f"tag.{number}"
        kept.add(Record(op="intent", address=address, intent=Intent(address=address, kind="tag", natural_key=[])))
        kept.add(Record(op="bind", address=address, binding=Binding(id="1", kind="tag")))
        kept.add(Record(op="bind", address=address, binding=Binding(id="1", kind="tag", created="now")))
    assert len(kept) == 10_000
