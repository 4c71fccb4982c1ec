"""The tree over all records is that of RFC 6962 and RFC 9162, and what must not hold does not.

The published vectors are the reference tree of Certificate Transparency: eight leaves, the roots of
all its sizes, and proofs, from `merkletree/merkle_tree_test.cc` of github.com/google/
certificate-transparency, which transparency-dev/merkle and golang/mod have too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.merkle import (
    EMPTY,
    Tree,
    complete,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    root_of,
    verify_consistency,
    verify_inclusion,
)

DATA = tuple(
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS = tuple(
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
)
INCLUSION = {
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (6, 7): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
LEAVES = tuple(map(leaf_hash, DATA))
SIZES = range(1, 18)


def naive(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 6962, 2.1, word for word, of leaves that are hashed already."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + naive(leaves[:half]) + naive(leaves[half:])).digest()


def grown(
    leaves: Sequence[bytes],
) -> tuple[Tree, Callable[[int, int], bytes], list[tuple[int, int]]]:
    """The tree, a reader of what its growth stored, and what was read, in order."""
    tree, stored, asked = Tree(), {}, []
    for n, leaf in enumerate(leaves):
        stored[0, n] = leaf
        for node in tree.append(leaf):
            assert (node.level, node.index) not in stored  # a subtree is completed once
            stored[node.level, node.index] = node.hash

    def read(level: int, index: int) -> bytes:
        asked.append((level, index))
        return stored[level, index]

    return tree, read, asked


def made_up(size: int) -> list[bytes]:
    return [leaf_hash(n.to_bytes(4, "big")) for n in range(size)]


def flipped(one: bytes) -> bytes:
    return bytes([one[0] ^ 1]) + one[1:]


def test_the_published_roots_are_found_at_every_size():
    _, read, _ = grown(LEAVES)

    assert [root_of(LEAVES[:size]) for size in range(9)] == list(ROOTS)
    assert [root(size, read) for size in range(9)] == list(ROOTS)
    assert [Tree.of(size, read).root() for size in range(9)] == list(ROOTS)


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_a_published_inclusion_proof_is_made_and_holds(index, size):
    _, read, _ = grown(LEAVES)
    proof = inclusion_proof(index, size, read)

    assert tuple(one.hex() for one in proof) == INCLUSION[index, size]
    assert verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_a_published_consistency_proof_is_made_and_holds(old, new):
    _, read, _ = grown(LEAVES)
    proof = consistency_proof(old, new, read)

    assert tuple(one.hex() for one in proof) == CONSISTENCY[old, new]
    assert verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


def test_the_examples_of_rfc_9162_have_the_nodes_that_it_names():
    """Section 2.1.5: seven leaves a to f and j, and the nodes g, h, i, k and l over them."""
    a, b, c, d, e, f, j = made_up(7)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741  # its name there
    _, read, _ = grown([a, b, c, d, e, f, j])

    assert root(7, read) == node_hash(k, l)
    assert inclusion_proof(0, 7, read) == [b, h, l]
    assert inclusion_proof(3, 7, read) == [c, g, l]
    assert inclusion_proof(4, 7, read) == [f, j, k]
    assert inclusion_proof(6, 7, read) == [i, k]
    assert consistency_proof(3, 7, read) == [c, d, g, l]
    assert consistency_proof(4, 7, read) == [l]
    assert consistency_proof(6, 7, read) == [i, j, k]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 300), st.data())
def test_whatever_the_sizes_the_root_is_that_of_the_definition_and_every_proof_holds(size, data):
    leaves = made_up(size)
    tree, read, _ = grown(leaves)
    old = data.draw(st.integers(0, size))
    roots = naive(leaves[:old]), naive(leaves)

    assert tree.root() == root(size, read) == root_of(leaves) == roots[1]
    assert verify_consistency(old, size, *roots, consistency_proof(old, size, read))
    if size:
        index = data.draw(st.integers(0, size - 1))
        proof = inclusion_proof(index, size, read)
        assert verify_inclusion(leaves[index], index, size, proof, roots[1])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 100), st.integers(0, 100))
def test_a_tree_that_was_left_and_read_again_goes_on_as_if_it_had_not_been(before, more):
    leaves = made_up(before + more)
    whole, read, _ = grown(leaves)
    resumed = Tree.of(before, read)
    made = [node for leaf in leaves[before:] for node in resumed.append(leaf)]

    assert resumed.root() == whole.root()
    assert [node.hash for node in made] == [read(node.level, node.index) for node in made]


def test_a_proof_costs_reads_that_grow_with_the_logarithm_of_the_size():
    """Read from nothing: of ten million leaves no more than 24 levels, each with few reads."""
    size, asked = 10_000_000, []

    def read(level: int, index: int) -> bytes:
        asked.append((level, index))
        return bytes(32)

    for make in (
        lambda: inclusion_proof(0, size, read),
        lambda: inclusion_proof(size - 1, size, read),
        lambda: inclusion_proof(6_543_210, size, read),
        lambda: consistency_proof(1, size, read),
        lambda: consistency_proof(6_543_210, size, read),
        lambda: root(size, read),
    ):
        asked.clear()
        proof = make()
        assert len(asked) <= 2 * size.bit_length()
        if isinstance(proof, list):
            assert len(proof) <= size.bit_length() + 1
        for level, index in asked:  # only subtrees that are complete at that size
            assert (index + 1) << level <= size


@pytest.mark.parametrize("size", SIZES)
def test_an_inclusion_proof_holds_for_its_leaf_place_size_and_root_only(size):
    leaves = made_up(size)
    _, read, _ = grown(leaves)
    top = root(size, read)
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(index, size, read)
        fails: list[tuple[bytes, int, int, list[bytes], bytes]] = [
            (flipped(leaf), index, size, proof, top),
            (leaf, index, size, proof, flipped(top)),
            (leaf, index, size, [*proof, top], top),
            (leaf, index, size, [top, *proof], top),
            (leaf, index, size, [*proof, bytes(32)], top),
            (leaf, -1, size, proof, top),
            (leaf, size, size, proof, top),
            (leaf, index, 0, proof, top),
            (leaf[:-1], index, size, proof, top),
            (leaf, index, size, proof, top[:-1]),
        ]
        fails += [(leaf, other, size, proof, top) for other in range(size) if other != index]
        fails += [(other, index, size, proof, top) for other in leaves if other != leaf]
        for n, one in enumerate(proof):
            fails.append((leaf, index, size, [*proof[:n], flipped(one), *proof[n + 1 :]], top))
            fails.append((leaf, index, size, [*proof[:n], *proof[n + 1 :]], top))
            fails.append((leaf, index, size, [*proof[:n], one, *proof[n:]], top))
            fails.append((leaf, index, size, [*proof[:n], one[:-1], *proof[n + 1 :]], top))
        if len(proof) > 1:
            fails.append((leaf, index, size, proof[::-1], top))

        assert verify_inclusion(leaf, index, size, proof, top)
        assert not [case for case in fails if verify_inclusion(*case)]


@pytest.mark.parametrize("size", SIZES)
def test_an_inclusion_proof_of_one_size_does_not_hold_at_the_root_of_another(size):
    leaves = made_up(max(SIZES) + 1)
    _, read, _ = grown(leaves)
    for index in range(size):
        proof = inclusion_proof(index, size, read)
        for other in range(index + 1, len(leaves) + 1):
            if other != size:
                assert not verify_inclusion(leaves[index], index, other, proof, root(other, read))
                assert not verify_inclusion(leaves[index], index, size, proof, root(other, read))


@pytest.mark.parametrize("new", SIZES)
def test_a_consistency_proof_holds_for_its_sizes_and_roots_only(new):
    leaves = made_up(new)
    _, read, _ = grown(leaves)
    for old in range(new + 1):
        was, top = root(old, read), root(new, read)
        proof = consistency_proof(old, new, read)
        fails: list[tuple[int, int, bytes, bytes, list[bytes]]] = [
            (old, new, flipped(was), top, proof),
            (old, new, was, top, [*proof, top]),
            (old, new, was, top, [top, *proof]),
            (old, new, was, top, [was, *proof]),
            (-1, new, was, top, proof),
            (new + 1, new, was, top, proof),
            (old, new, was[:-1], top, proof),
            (old, new, was, top[:-1], proof),
        ]
        if old:  # every tree begins with the empty one
            fails.append((old, new, was, flipped(top), proof))
        if 0 < old < new:
            fails.append((new, old, top, was, proof))
            fails.append((old, new, top, was, proof))
            fails.append((0, new, was, top, proof))
            fails.append((old, old, was, top, proof))
        fails += [(n, new, was, top, proof) for n in range(new + 1) if n not in {old, new}]
        for n, one in enumerate(proof):
            fails.append((old, new, was, top, [*proof[:n], flipped(one), *proof[n + 1 :]]))
            fails.append((old, new, was, top, [*proof[:n], *proof[n + 1 :]]))
            fails.append((old, new, was, top, [*proof[:n], one, *proof[n:]]))
            fails.append((old, new, was, top, [*proof[:n], one[:-1], *proof[n + 1 :]]))

        assert verify_consistency(old, new, was, top, proof)
        assert not [case for case in fails if verify_consistency(*case)]


@pytest.mark.parametrize("size", range(2, 18))
def test_a_tree_that_differs_at_one_old_leaf_is_not_consistent_whatever_the_proof(size):
    leaves = made_up(size)
    for old in range(1, size):
        for changed in range(old):
            forked = [*leaves[:changed], flipped(leaves[changed]), *leaves[changed + 1 :]]
            _, read, _ = grown(forked)
            proof = consistency_proof(old, size, read)

            assert not verify_consistency(old, size, naive(leaves[:old]), naive(forked), proof)


def test_hashes_whose_bytes_were_moved_from_one_to_the_next_are_no_proof():
    """What is hashed would be the same bytes: only the lengths tell."""
    _, read, _ = grown(made_up(7))
    proof = consistency_proof(3, 7, read)
    first, second, *others = proof
    moved = [first[:31], second + first[31:], *others]

    assert verify_consistency(3, 7, root(3, read), root(7, read), proof)
    assert not verify_consistency(3, 7, root(3, read), root(7, read), moved)


def test_a_leaf_is_never_taken_for_a_node():
    left, right = made_up(2)

    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"\x01" + left + right) != node_hash(left, right)


def test_there_is_no_proof_for_a_leaf_or_a_size_that_is_not_there():
    _, read, _ = grown(made_up(3))

    for index in (-1, 3):
        with pytest.raises(ValueError, match="index"):
            inclusion_proof(index, 3, read)
    for old in (-1, 4):
        with pytest.raises(ValueError, match="old size"):
            consistency_proof(old, 3, read)


def test_the_empty_tree_has_the_root_of_nothing():
    assert Tree().root() == root_of([]) == EMPTY == ROOTS[0]
    assert complete(0, 0) == []


def test_a_tree_holds_a_hash_for_each_binary_digit_of_its_size():
    tree = Tree()
    for n in range(5000):
        tree.append(n.to_bytes(32, "big"))

        assert len(tree._peaks) == len(complete(0, n + 1)) <= (n + 1).bit_length()
