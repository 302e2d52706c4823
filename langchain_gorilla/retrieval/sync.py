"""What a sync has to do, decided from ids alone. Nothing here touches storage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.retrieval.document import identity, point_id


@dataclass(frozen=True)
class SyncPlan:
    """The difference between a catalog and a collection.

    Attributes:
        new: Point id to a tool that the collection does not know.
        changed: Point id to a tool that it knows with other content.
        replaced: Id of the point to be written to the id of the point that it replaces.
        delete: Points to delete once the others are written: replaced, gone, or left over
            from a sync that did not finish.
        unchanged: How many tools need nothing.
    """

    new: Mapping[str, CatalogTool]
    changed: Mapping[str, CatalogTool]
    replaced: Mapping[str, str]
    delete: tuple[str, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether the collection already holds exactly the catalog."""
        return not (self.new or self.changed or self.delete)


@dataclass(frozen=True)
class SyncReport:
    """What a sync did, in numbers of tools.

    Attributes:
        added: Tools that were not there.
        changed: Tools with new documentation or metadata.
        deleted: Tools that are no longer there.
        unchanged: Tools that needed nothing.
        embedded: Texts that went through the embedder.
        reweighted: Tools whose BM25 weights were made anew because the catalog's statistics
            moved; their embeddings stay.
        rebuilt: The collection was built beside the old one and switched to.
    """

    added: int
    changed: int
    deleted: int
    unchanged: int
    embedded: int
    reweighted: int = 0
    rebuilt: bool = False


def plan_sync(tools: Iterable[CatalogTool], stored: Iterable[str]) -> SyncPlan:
    """Plan how a collection becomes the catalog.

    Args:
        tools: All of the catalog; ids are unique.
        stored: The ids of all points of the collection.

    Returns:
        A plan that can be carried out in part and made anew: writes come before deletes, so at
        any moment each tool is there in its old or in its new version.
    """
    wanted = {point_id(tool): tool for tool in tools}
    held = set(stored)
    gone = held - wanted.keys()
    old_versions = {identity(uuid): uuid for uuid in gone}
    new, changed, replaced = {}, {}, {}
    for uuid, tool in wanted.items():
        if uuid in held:
            continue
        old = old_versions.get(identity(uuid))
        if old is None:
            new[uuid] = tool
        else:
            changed[uuid] = tool
            replaced[uuid] = old
    unchanged = len(wanted) - len(new) - len(changed)
    return SyncPlan(new, changed, replaced, tuple(sorted(gone)), unchanged)
