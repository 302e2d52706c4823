"""An answer to text and calls, as it arrives.

``StreamParser`` takes the answer in pieces of any size and reports text and calls as soon as
they are certain. It never looks at where pieces end, so any cutting gives the same events, but
for how ``TextDelta`` and ``ArgumentDelta`` are cut.

Covers: markers of every family (they never appear in text once a call was recognised),
several calls, calls that cannot be read (reported, and the next one still found), reasoning,
what follows the end of the turn (dropped), code fences around calls. Of ordinary text at most
11 characters are held back, but for families whose opening is longer than 12 characters (one
less than its length), the opening of a code fence (until what it holds shows) and, where calls
stand bare, a line that begins like a known function's call (until its first argument shows).
Time is linear in the length of the answer.

Does not cover: whether a call names a known function or fits its schema (``validation``), and
Gorilla-7B's answers (``gorilla7b``).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from langchain_gorilla.calls import (
    ArgumentDelta,
    CallEvent,
    CallFailed,
    CallSyntax,
    FunctionCall,
    TextDelta,
)
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.call_parser import CallParser
from langchain_gorilla.parsing.openings import (
    END_OF_TURN,
    FORGED_TURNS,
    Between,
    Markers,
    Opening,
    Place,
)
from langchain_gorilla.parsing.scanner import Source, Steps

_LINE_HEAD: Final = max(map(len, FORGED_TURNS))


class StreamParser:
    """Parses one answer of one model family.

    Example:
        >>> parser = StreamParser(syntax, functions)
        >>> for chunk in chunks:
        ...     events = parser.feed(chunk)
        >>> events = parser.close()
    """

    def __init__(
        self,
        syntax: CallSyntax,
        functions: Sequence[FunctionSchema] | None = None,
        *,
        may_call: bool = True,
    ) -> None:
        """Prepare to parse.

        Args:
            syntax: How the family writes calls, or ``openings.AUTO``.
            functions: Those on offer, under the names that the model writes. They tell bare
                calls from prose, give positional arguments their names, and make a call inside
                a call an error. None: not known, then any name may be a bare call; an empty
                sequence: there are none, then only markers announce calls.
            may_call: False where nothing in the answer is a call, whatever it looks like.
        """
        known = {f.name: f for f in functions or ()}
        self._markers = Markers(syntax, None if functions is None else known, may_call=may_call)
        self._source = Source()
        self._events: list[CallEvent] = []
        self._text: list[str] = []
        self._piece: ArgumentDelta | None = None
        self._pieces: list[str] = []
        self._line = ""  # the last line's first characters
        self._space_before = True  # text so far ends in whitespace, or there is none
        self._index = 0
        self._calls: list[FunctionCall] = []
        self._wrapped_call = False
        self._held: list[CallEvent] | None = None
        self._parser = CallParser(self._source, self._emit, self._markers, known)
        self._machine = self._run()

    def feed(self, text: str) -> list[CallEvent]:
        """Add a piece of the answer; return what became certain."""
        if self._source.closed:
            raise ValueError("The parser is closed. Make a new StreamParser for each answer.")
        self._source.feed(text)
        return self._advance()

    def close(self, *, truncated: bool = False) -> list[CallEvent]:
        """End the answer; return what was held back.

        Args:
            truncated: Generation stopped at a limit. Calls whose closing bracket is there stay
                valid; the reason of one without says so.
        """
        if self._source.closed:
            return []
        self._source.close(truncated=truncated)
        return self._advance()

    def _advance(self) -> list[CallEvent]:
        next(self._machine, None)
        self._flush()
        events, self._events = self._events, []
        return events

    # --- what goes out --------------------------------------------------------------------

    def _say(self, text: str) -> None:
        if text:
            self._text.append(text)
            self._space_before = text[-1].isspace()

    def _flush(self) -> None:
        """Report the text and the pieces of an argument that came together."""
        if self._text:
            self._events.append(TextDelta("".join(self._text)))
            self._text.clear()
        if self._pieces and self._piece is not None:
            delta = replace(self._piece, text="".join(self._pieces))
            self._pieces.clear()
            self._events.append(delta)

    def _emit(self, event: CallEvent) -> None:
        if isinstance(event, ArgumentDelta):
            if self._held is None:
                last = self._piece
                if last is None or (event.index, event.parameter) != (last.index, last.parameter):
                    self._flush()
                    self._piece = event
                self._pieces.append(event.text)
            return
        if self._held is not None:
            self._held.append(event)
            return
        self._flush()
        self._events.append(event)

    # --- text -----------------------------------------------------------------------------

    def _run(self) -> Steps[None]:
        going = line_start = True
        while going:
            opening = yield from self._prose(line_start=line_start)
            if opening is None:
                break
            gap, going = yield from self._region(opening)
            line_start = "\n" in gap
            self._say(gap.lstrip() if self._space_before else gap)
        while not self._source.closed:
            self._source.clear()
            yield

    def _prose(self, *, line_start: bool) -> Steps[Opening | None]:
        """Pass text on up to where calls begin; None at the end of the answer or turn."""
        source, markers = self._source, self._markers
        while (yield from source.wait(1)):
            if line_start:
                line_start = False
                self._line = ""
                found = yield from source.decide(markers.line_opening)
                if found is not None:
                    source.drop(len(found[0].text))
                    return found[0]
            ordinary = markers.ordinary.match(source.text, source.pos)
            if ordinary:
                if not self._pass_on(ordinary.end() - ordinary.start()):
                    return None
                continue
            char = source.peek()
            if char == "\n":
                self._say(source.drop(1))
                line_start = True
                continue
            marker = yield from source.decide(markers.marker)
            if marker is not None:
                text = marker[0]
                if text == markers.reasoning[0]:
                    yield from self._thought()
                elif text in markers.tags:
                    source.drop(len(text))
                    return Opening(text, explicit=True)
                elif text in END_OF_TURN:
                    return None
                else:
                    source.drop(len(text))  # the closing marker of a block that text ended
                continue
            if char == "[" and markers.bare:
                found = yield from source.decide(markers.list_opening)
                if found is not None:
                    source.drop(len(found[0].text))
                    return found[0]
            if not self._pass_on(1):
                return None
        return None

    def _pass_on(self, count: int) -> bool:
        """Pass text of one line on; False where it turns out to open a forged turn."""
        piece = self._source.peek(count)
        if len(self._line) < _LINE_HEAD:
            head = self._line + piece[:_LINE_HEAD]
            forged = next((t for t in self._markers.forged_turns if head.startswith(t)), None)
            if forged is not None:
                # What the line begins with may be out already, so all of it goes out, always.
                self._say(forged[len(self._line) :])
                return False
            self._line = head[:_LINE_HEAD]
        self._say(self._source.drop(count))
        return True

    def _thought(self) -> Steps[None]:
        """Pass reasoning on as text; calls in it are none."""
        source = self._source
        opening, closing = self._markers.reasoning
        self._say(source.drop(len(opening)))
        while (yield from source.wait(1)):
            end = source.text.find(closing, source.pos)
            if end >= 0:
                self._say(source.drop(end + len(closing) - source.pos))
                return
            # The last characters may be the first of the closing tag.
            held = len(source.text) - source.pos
            keep = next(
                (
                    size
                    for size in range(min(len(closing) - 1, held), 0, -1)
                    if source.text.endswith(closing[:size])
                ),
                0,
            )
            self._say(source.drop(held - (0 if source.closed else keep)))
            if not (yield from source.wait(len(source.text) - source.pos + 1)):
                self._say(source.drop(len(source.text)))

    # --- calls ----------------------------------------------------------------------------

    def _region(self, opening: Opening) -> Steps[tuple[str, bool]]:
        """Read calls and what stands between them, once; the result is ``_calls_and_gaps``'."""
        # LFM2 echoes the list of a block behind it; an echo is no second call.
        may_echo = self._wrapped_call and not opening.explicit
        index, known = self._index, len(self._calls)
        if may_echo:
            self._flush()
            self._held = []
        gap, more = yield from self._calls_and_gaps(opening)
        if self._held is not None:
            held, self._held = self._held, None
            calls = self._calls[known:]
            failed = any(isinstance(e, CallFailed) for e in held)
            if not failed and all(call in self._calls[:known] for call in calls):
                self._index = index
                del self._calls[known:]
            else:
                self._events.extend(held)
        return gap, more

    def _calls_and_gaps(self, opening: Opening) -> Steps[tuple[str, bool]]:
        """Read calls up to text, the end of the block, the turn or the answer.

        Returns:
            What stood between the last call and text that follows; and whether more may come.
        """
        source, markers = self._source, self._markers
        marker = opening.text if opening.explicit else ""
        place = Place(
            explicit=opening.explicit,
            wrapped=markers.closes(marker),
            fenced=opening.fenced,
            bracket=opening.bracket,
        )
        gap = fence = ""
        while True:
            step = yield from source.decide(partial(markers.between, place=place))
            kind, length = step or (Between.TEXT, 0)
            if kind is Between.END_OF_ANSWER and source.truncated and marker and not place.calls:
                # Without this the answer would end as if it were whole, and with no call.
                reason = "cut off: the answer ended at its length limit in front of a call"
                text = marker + gap + source.drop(length)
                self._emit(CallFailed(self._index, None, text, reason))
            if kind is Between.END_OF_TURN or kind is Between.END_OF_ANSWER:
                return "", kind is Between.END_OF_ANSWER
            if kind is Between.CLOSING:
                closing = source.drop(length)
                if fence and not place.calls and "```" in closing:
                    return fence + marker + gap + closing, True
                self._wrapped_call |= place.explicit and place.calls > 0
                gap = yield from self._whitespace()
                # A fence around the block ends behind it.
                in_fence = place.fenced and "```" not in closing
                if in_fence and (yield from source.decide(markers.fence_end)) is not None:
                    source.drop(3)
                    gap = yield from self._whitespace()
                return gap, True
            if kind is Between.MARKER:
                fence = marker if opening.fenced and marker == opening.text else ""
                marker, gap = source.drop(length).strip(), ""
                place = Place(explicit=True, wrapped=markers.closes(marker), fenced=opening.fenced)
            elif kind is Between.BRACKET_OPENS:
                gap += source.drop(length)
                place = replace(place, bracket=gap[-1])
            elif kind is Between.FENCE_OPENS:
                gap += source.drop(length)
                place = replace(place, fenced=True)
            elif kind is Between.BRACKET_CLOSES:
                bracket = source.drop(length)
                gap += "" if place.calls else bracket
                place = replace(place, bracket="")
            elif kind is Between.SEPARATOR:
                gap += source.drop(length)
                place = replace(place, separated=place.separated or bool(gap.strip()))
            else:
                name = None
                if kind is Between.NAME:
                    name = yield from source.decide(partial(markers.call_name, place=place))
                if name is not None:
                    (written, problem), length = name
                    call = yield from self._parser.call(
                        self._index, written, length=length, problem=problem
                    )
                elif kind is Between.OBJECT:
                    call = yield from self._parser.json_call(self._index)
                else:
                    # Text follows. Where a marker announced nothing, it is part of that text.
                    if marker and self._index == 0:
                        return fence + marker + gap, True
                    return gap, True
                self._index += 1
                if call is not None:
                    self._calls.append(call)
                gap = ""
                place = replace(place, calls=place.calls + 1, separated=False)

    def _whitespace(self) -> Steps[str]:
        """Consume whitespace; none is left where the answer ends with it."""
        gap = ""
        while (yield from self._source.wait(1)):
            char = self._source.peek()
            if not char.isspace():
                return gap
            gap += self._source.drop(1)
        return ""
