"""Where a scene can go from where: the same for all that begin in one layout, whatever is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hpvqa.explore.scene import Action, Deed, Moment, View


class Graph:
    """The moments of a layout, and what leads from one to the other.

    Args:
        views: From where it can be viewed.
        deeds: What the robot can do.
        reveals: For each view and place, the sets of deeds in which it is seen; see :class:`Scene`.
        shows: The same for each view and the thing of each deed.
    """

    def __init__(
        self,
        views: Sequence[View],
        deeds: Sequence[Deed],
        reveals: Sequence[Sequence[str]],
        shows: Sequence[Sequence[str]],
    ) -> None:
        self._exits = [[(Action(kind=kind, target=way), number) for kind, way, number in view.exits] for view in views]
        self._deeds = [
            (Action(kind=deed.kind, target=deed.thing), 1 << number, sum(1 << before for before in deed.after))
            for number, deed in enumerate(deeds)
        ]
        self._reveals, self._shows = ([[int(word, 16) for word in row] for row in table] for table in (reveals, shows))
        self._useful = [self._matters(number) for number in range(len(deeds))]
        self._reach: dict[tuple[int, int, int], dict[frozenset[int], int]] = {}

    def revealed(self, moment: Moment) -> frozenset[int]:
        """Numbers of the places that are seen at a moment."""
        return self._seen(moment.view, moment.mask)

    def offered(self, moment: Moment) -> tuple[Action, ...]:
        """What can be done besides answering."""
        return tuple(action for action, _, _ in self._moves(moment.view, moment.mask))

    def moves(self, moment: Moment) -> Iterator[tuple[Action, Moment]]:
        """What can be done besides answering, and what it leads to.

        What was put aside can be picked up again, so that what is offered does not tell what is done already.
        """
        for action, view, mask in self._moves(moment.view, moment.mask):
            done = tuple(number for number in range(len(self._deeds)) if mask >> number & 1)
            yield action, Moment(view=view, done=done)

    def reach(self, moment: Moment, most: int) -> Mapping[frozenset[int], int]:
        """What places can be seen from here on, each set of them with the least number of actions that it takes.

        Args:
            moment: Where it begins; what is seen there counts.
            most: The longest way.
        """
        key = (moment.view, moment.mask, most)
        if key not in self._reach:
            self._reach[key] = self._found(*key)
        return self._reach[key]

    def _found(self, view: int, mask: int, most: int) -> dict[frozenset[int], int]:
        first = (view, mask, self._seen(view, mask))
        found, frontier, known = {first[2]: 0}, [first], {first}
        for length in range(1, most + 1):
            follow = []
            for view, mask, seen in frontier:
                for _, there, done in self._moves(view, mask, useful=True):
                    after = (there, done, seen | self._seen(there, done))
                    if after not in known:
                        known.add(after)
                        follow.append(after)
                        found.setdefault(after[2], length)
            frontier = follow
        return found

    def _seen(self, view: int, mask: int) -> frozenset[int]:
        return frozenset(number for number, bits in enumerate(self._reveals[view]) if bits >> mask & 1)

    def _moves(self, view: int, mask: int, *, useful: bool = False) -> Iterator[tuple[Action, int, int]]:
        for action, there in self._exits[view]:
            yield action, there, mask
        for number, (action, bit, before) in enumerate(self._deeds):
            if before & ~mask or not self._shows[view][number] >> mask & 1 or (useful and not self._useful[number]):
                continue
            # What was moved sideways comes back; what was put aside is put there again.
            yield action, view, mask ^ bit if action.kind == "move" else mask | bit

    def _matters(self, deed: int) -> bool:
        """Whether a deed changes what is seen or offered of anything else."""
        bit = 1 << deed
        without = [mask for mask in range(1 << len(self._deeds)) if not mask & bit]
        rows = [row for reveals in self._reveals for row in reveals]
        rows += [row for shows in self._shows for number, row in enumerate(shows) if number != deed]
        return any(before & bit for _, _, before in self._deeds) or any(
            (row >> mask ^ row >> (mask | bit)) & 1 for row in rows for mask in without
        )
