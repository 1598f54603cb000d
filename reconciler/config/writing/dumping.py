"""Resources to readable files: what `loading` reads back is the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.config.writing.emitting import document
from reconciler.model import values
from reconciler.model.address import key_of
from reconciler.model.desired import Resource
from reconciler.model.errors import ReconcilerError
from reconciler.model.kind import Kinds
from reconciler.model.spec import KEY, Attribute, Default, Nested, RefTo
from reconciler.model.values import Lookup, Ref, RemoteId, Value

FOLDER = "config"


def dump(resources: Sequence[Resource], kinds: Kinds, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the text of each file (`config/tags.yaml`), in an order that depends on nothing but the resources.

    References are written as keys, look-ups and remote ids as maps, users by their e-mail, secrets as `${secret.X}`;
    defaults are left out. `variables` maps texts to the variables that
    stand for them. Raises ReconcilerError where a text has no form in YAML.
    """
    children = children_of(resources)
    files: dict[str, str] = {}
    for kind in kinds.values():
        roots = [resource for resource in resources if resource.kind == kind.name and resource.parent is None]
        roots.sort(key=lambda root: root.key)
        if roots and not kind.section:
            raise ReconcilerError(f"{roots[0].address} can only be written inside its {kind.nested}")
        if roots:
            section = {root.key: content_of(root, children, kinds, variables or {}) for root in roots}
            files[f"{FOLDER}/{kind.section}.yaml"] = document({kind.section: section})
    return files


def children_of(resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    """Return the nested resources by the address of their parent."""
    children: dict[str, list[Resource]] = {}
    for resource in resources:
        if resource.parent is not None:
            children.setdefault(resource.parent, []).append(resource)
    return children


def content_of(
    resource: Resource, children: Mapping[str, Iterable[Resource]], kinds: Kinds, variables: Mapping[str, str]
) -> dict[str, Any]:
    """Return a resource's map: attributes in the order of the spec, then its lifecycle."""
    kind, own = kinds[resource.kind], _own_key(resource)
    spec = kind.spec_of(own)
    fields = spec.model_fields if spec is not None else {}
    content: dict[str, Any] = {}
    for name, attribute in kind.attributes.items():
        if name not in fields:
            continue
        nested = attribute.mark(Nested)
        if nested is not None:
            mine = [child for child in children.get(resource.address, ()) if child.kind == nested.kind]
            if mine or name in resource.nested:
                mine.sort(key=lambda child: (child.rank, child.key))
                content[name] = {_own_key(child): content_of(child, children, kinds, variables) for child in mine}
        elif name in resource.attrs and not _is_default(attribute, resource.attrs[name], own):
            content[name] = as_written(resource.attrs[name], attribute.mark(RefTo), variables)
    lifecycle = _lifecycle(resource)
    return {**content, "lifecycle": lifecycle} if lifecycle else content


def _own_key(resource: Resource) -> str:
    """Return the key of a resource without that of its parent."""
    return resource.key.rpartition(".")[2]


def _is_default(attribute: Attribute, value: Value, key: str) -> bool:
    default = attribute.mark(Default)
    return default is not None and value == (key if default.value == KEY else default.value)


def _lifecycle(resource: Resource) -> Any:
    """Return the block of a resource's lifecycle as it is written; empty where it only has defaults."""
    lifecycle = resource.lifecycle.model_dump(exclude_defaults=True)
    if "on_destroy" in lifecycle:
        lifecycle["on_destroy"] = {what: _target(target, resource) for what, target in lifecycle["on_destroy"].items()}
    return _escaped(lifecycle, {})


def _target(address: str, resource: Resource) -> str:
    """Return an address as shortly as the loader understands it."""
    if resource.parent is None:
        return address
    sibling = f"{resource.kind}.{key_of(resource.parent)}."
    return address.removeprefix(sibling)


def as_written(value: Value, mark: RefTo | None, variables: Mapping[str, str]) -> Any:
    """Return a value as it is written: texts escaped, references in the form that a user would type."""
    return values.transform(value, lambda leaf: _leaf(leaf, mark, variables))


def _leaf(leaf: Value, mark: RefTo | None, variables: Mapping[str, str]) -> Any:
    if isinstance(leaf, Ref | Lookup | RemoteId) and mark is None:
        return _qualified(leaf, variables)
    if isinstance(leaf, Ref):
        return leaf.key
    if isinstance(leaf, RemoteId):
        return {"id": leaf.id}
    if isinstance(leaf, Lookup):
        plain = mark is not None and mark.lookup == leaf.by and "@" in leaf.value
        return _escaped(leaf.value, variables) if plain else {leaf.by: _escaped(leaf.value, variables)}
    return _escaped(leaf, variables)


def _qualified(leaf: Ref | Lookup | RemoteId, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return a reference that names its kind itself."""
    if isinstance(leaf, Ref):
        return {"ref": leaf.address}
    if isinstance(leaf, Lookup):
        return {"look_up": leaf.kind, leaf.by: _escaped(leaf.value, variables)}
    return {"look_up": leaf.kind, "id": leaf.id}


def _escaped(value: Value, variables: Mapping[str, str]) -> Any:
    """Return texts such that nothing is filled in when they are read, but for secrets and these variables."""

    def text(leaf: Value) -> Any:
        if not isinstance(leaf, str):
            return leaf
        return f"${{var.{variables[leaf]}}}" if leaf in variables else values.show_secrets(leaf.replace("${", "$${"))

    return values.transform(value, text)
