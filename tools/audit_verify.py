#!/usr/bin/env python3
"""Verifies the audit log of Insurance Navigator offline: archives, proofs of single events, and proofs of consistency.

It shares no code with the product and needs nothing but Python 3.9: Merkle trees are those of RFC 9162 (section 2.1),
signatures are Ed25519 (RFC 8032), notes and checkpoints those of C2SP (signed-note, tlog-checkpoint). The formats are
described in docs/audit.md.

    audit_verify.py --key KEY [--key KEY ...] [--anchors FILE ...] [--json] FILE [FILE ...]

KEY is a verifier key as the product shows it: name+id+key. An anchors file holds the checkpoints that were kept outside
of the database. Exit code: 0 clean, 1 tampered, 2 incomplete, 3 not verifiable; of several files, the worst, which is
tampered before not verifiable before incomplete.
"""
import argparse
import base64
import functools
import hashlib
import json
import re
import sys
from datetime import datetime

LOG = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
WIDTH = 256
ON_ITS_WAY_SECONDS = 120
EXIT = {'clean': 0, 'tampered': 1, 'incomplete': 2}
COLUMNS = ('tenant_id id occurred_at action category actor_type actor_id actor_role credential_id targets outcome '
           'reason request_id route context detail').split()


class Unverifiable(Exception):
    """It is not what it should be, so that nothing can be said about it."""


# What a file that is no archive and no proof may lead to.
MALFORMED = (Unverifiable, OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


# Ed25519 (RFC 8032, section 5.1), verification only. ------------------------------------------------------------------

P = 2 ** 255 - 19
Q = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def point_add(a, b):
    """Both in extended homogeneous coordinates (x, y, z, t)."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    g, h, i, j = f - e, d - c, d + c, f + e
    return (g * h % P, i * j % P, h * i % P, g * j % P)


def point_multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def points_equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_decode(encoded):
    """None where the bytes are no point (section 5.1.3)."""
    number = int.from_bytes(encoded, 'little')
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P != 0 or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, 'little'))


@functools.lru_cache(maxsize=65536)
def ed25519_verifies(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = point_decode(public), point_decode(signature[:32])
    s = int.from_bytes(signature[32:], 'little')
    if a is None or r is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), 'little') % Q
    return points_equal(point_multiply(s, BASE), point_add(r, point_multiply(h, a)))


# Notes and checkpoints. -----------------------------------------------------------------------------------------------

def decode_key(encoded):
    """(name, id, public key) of `name+id+key`."""
    match = re.fullmatch(r'([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)', encoded.strip())
    key = base64.b64decode(match[3]) if match else b''
    if len(key) != 33 or key[0] != 1:
        raise Unverifiable('a key is no Ed25519 verifier key')
    if hashlib.sha256(match[1].encode() + b'\n' + key).digest()[:4].hex() != match[2]:
        raise Unverifiable('the id of a key is not its own')
    return match[1], bytes.fromhex(match[2]), key[1:]


def open_note(note, keys):
    """The text of a note that one of the keys signed; None otherwise."""
    text, separator, signatures = note.partition('\n\n')
    text += '\n'
    if not separator or not signatures.endswith('\n'):
        return None
    known = 0
    for line in signatures[:-1].split('\n'):
        match = re.fullmatch('\u2014 (\\S+) ([A-Za-z0-9+/]+=*)', line)
        if not match:
            return None
        try:
            signature = base64.b64decode(match[2], validate=True)
        except ValueError:
            return None
        for name, key_id, public in keys:
            if name == match[1] and key_id == signature[:4]:
                known += 1
                if not ed25519_verifies(public, text.encode(), signature[4:]):
                    return None
    return text if known else None


def open_checkpoint(note, keys):
    """(size, root) of a checkpoint that one of the keys signed; None otherwise."""
    body = re.fullmatch(r'([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\ntime ([0-9T:.-]+Z)\n',
                        open_note(note, keys) or '')
    return (int(body[2]), base64.b64decode(body[3])) if body else None


def open_tombstone(note, keys):
    """(tenant, leaves, root, SHA-256 of the archive) of a tombstone that one of the keys signed; None otherwise."""
    text = open_note(note, keys) if isinstance(note, str) else None
    body = re.fullmatch(r'[^\n]+\naudit tombstone\ntenant ([0-9a-f-]{36})\nleaves ([1-9][0-9]{0,15})\n'
                        r'root ([A-Za-z0-9+/]{43}=)\narchive ([0-9a-f]{64})\n', text or '')
    return (body[1], int(body[2]), base64.b64decode(body[3]), body[4]) if body else None


# Merkle trees (RFC 9162, section 2.1). --------------------------------------------------------------------------------

def leaf_hash(entry):
    return hashlib.sha256(b'\x00' + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b'\x01' + left + right).digest()


def root_of(hashes):
    row = list(hashes)
    if not row:
        return hashlib.sha256(b'').digest()
    while len(row) > 1:
        odd = row[len(row) - len(row) % 2:]
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)] + odd
    return row[0]


class Tree:
    """Grows leaf by leaf; keeps one hash for each bit of its size."""

    def __init__(self):
        self.size, self.stack = 0, []

    def add(self, digest):
        rest = self.size
        while rest & 1:
            digest = node_hash(self.stack.pop(), digest)
            rest >>= 1
        self.stack.append(digest)
        self.size += 1

    def root(self):
        if not self.stack:
            return root_of([])
        digest = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            digest = node_hash(left, digest)
        return digest


def is_included(digest, index, size, path, root):
    """Section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn = index, size - 1
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            digest = node_hash(sibling, digest)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            digest = node_hash(digest, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and digest == root


def is_consistent(first, first_root, second, second_root, path):
    """Section 2.1.4.2."""
    if not 1 <= first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    path = ([first_root] if first & (first - 1) == 0 else []) + list(path)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for digest in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(digest, fr), node_hash(digest, sr)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, digest)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


def head_bytes(tenant_id, size, root):
    """The state of a tenant's tree as it stands in the log (RFC 8785)."""
    return json.dumps({'root': root, 'size': size, 'tenant_id': tenant_id}, separators=(',', ':')).encode()


# Archives. ------------------------------------------------------------------------------------------------------------

class CheckedTree:
    """A tree that is put together again from its leaves and compared with what is known of it."""

    def __init__(self, expected, rewritten, truncated, report, tenant_id=None):
        self.tree, self.tiles, self.rows, self.made = Tree(), {}, {}, {}
        self.expected = sorted(expected, key=lambda each: each[0])
        self.rewritten, self.truncated, self.report, self.tenant_id = rewritten, truncated, report, tenant_id
        self.explained, self.proven = False, 0
        self.compare_roots()

    def found(self, kind, detail, leaf_index, before=None):
        self.report(kind, detail, tenant_id=self.tenant_id, leaf_index=leaf_index, before=before)
        self.explained = True

    def tile_hash(self, index):
        tile = self.tiles.get((0, index // WIDTH))
        return tile and tile[0][index % WIDTH * 32:][:32]

    def add(self, digest):
        self.tree.add(digest)
        self.add_to_row(0, digest)
        self.compare_roots()

    def add_to_row(self, level, digest):
        row = self.rows.setdefault(level, [])
        row.append(digest)
        if len(row) < WIDTH:
            return
        index = self.made.get(level, 0)
        self.made[level], self.rows[level] = index + 1, []
        root, tile = root_of(row), self.tiles.pop((level, index), None)
        if not self.explained and tile != (b''.join(row), root):
            problem = 'does not follow from the leaves' if tile else 'is missing'
            self.found('tile-changed', f'tile {level}/{index} {problem}', index * WIDTH ** (level + 1), self.tree.size)
        self.add_to_row(level + 1, root)

    def compare_roots(self):
        while self.expected and self.expected[0][0] == self.tree.size:
            _, root = self.expected.pop(0)
            if self.explained:
                continue
            if root == self.tree.root():
                self.proven = self.tree.size
            else:
                self.found(self.rewritten, 'its root is not what it was, although what is stored of it fits together',
                           self.proven, self.tree.size)

    def finish(self):
        size = self.tree.size
        missing = [each for each, _ in self.expected if each > size]
        if missing and not self.explained:
            self.found(self.truncated, f'it has {size} leaves, and had {missing[0]}', self.proven, missing[-1])
        if self.tiles and not self.explained:
            level, index = next(iter(self.tiles))
            self.found('tile-changed', f'tile {level}/{index} has no leaves', size)


class Retirement:
    """Tells events that left a log by its retention from deleted ones: the first are all from the beginning on, up to the
    place that a signed tombstone in the log itself names."""

    def __init__(self, tenant_id, keys, report):
        self.tenant_id, self.keys, self.report = tenant_id, keys, report
        self.count, self.told, self.root = 0, 0, None

    def may_be_retired(self, index):
        if self.root is not None or index != self.count:
            return False
        self.count += 1
        return True

    def present(self, index, event_id, body, tree):
        self.root = tree.root() if self.root is None else self.root
        if body is None or '"action":"audit.retention"' not in body:
            return
        event = json.loads(body)
        if event['action'] != 'audit.retention':
            return
        tombstone = open_tombstone(event['detail'].get('note'), self.keys)
        if (tombstone and tombstone[0] == self.tenant_id and tombstone[1] <= index
                and (tombstone[1] != self.count or tombstone[2] == self.root)):
            self.told = max(self.told, tombstone[1])
        else:
            self.report('tombstone-forged', 'what it says of deleted events is not signed by a known key, or not of this '
                        'tree', tenant_id=self.tenant_id, leaf_index=index, event_id=event_id)

    def finish(self):
        if self.count > self.told:
            self.report('event-deleted', 'events are gone that no tombstone tells of', tenant_id=self.tenant_id,
                        leaf_index=self.told, before=self.count)
        return min(self.count, self.told)


class Archive:
    """Judges an archive, record by record. Nothing that it says about itself is believed."""

    def __init__(self, keys, anchors):
        self.keys, self.anchors = keys, anchors
        self.findings, self.incomplete = [], []
        self.counts = dict(events=0, retired=0, trees=0, heads=0, checkpoints=0, anchors=len(anchors))
        self.signed, self.notes, self.heads, self.last_no = [], set(), {}, 0
        self.log = self.tree = self.at = None
        self.records, self.ended = 0, False

    def report(self, kind, detail, **place):
        place = {name: value for name, value in place.items() if value is not None}
        self.findings.append({'kind': kind, 'detail': detail, **place})

    def accept(self, record):
        kind = record['type']
        if (self.at is None) != (kind == 'archive'):
            raise Unverifiable('the archive does not begin')
        if kind == 'archive' and record['format'] != 'insurance-navigator/audit-archive/v1':
            raise Unverifiable('the archive has another format')
        getattr(self, f'take_{kind}')(record)
        self.records += 1

    def take_archive(self, record):
        self.at = moment(record['at'])

    def take_checkpoint(self, record):
        no, note = record['no'], record['note']
        self.counts['checkpoints'] += 1
        if no != self.last_no + 1:
            self.report('checkpoint-deleted', f'checkpoints {self.last_no + 1} to {no - 1} are gone')
        self.last_no = no
        opened = open_checkpoint(note, self.keys)
        if opened is None or note in self.notes or (self.signed and opened[0] < self.signed[-1][0]):
            self.report('checkpoint-forged', f'checkpoint {no} is not what was signed then')
        else:
            self.signed.append(opened)
        self.notes.add(note)

    def open_log(self):
        if self.log:
            return self.log
        anchored = []
        for anchor in self.anchors:
            opened = open_checkpoint(anchor['note'], self.keys)
            if opened:
                anchored.append(opened)
            else:
                self.report('checkpoint-forged', f"anchored checkpoint {anchor['no']} is not signed by a known key")
        newest = max((anchor['no'] for anchor in self.anchors), default=0)
        if newest > self.last_no:
            self.report('checkpoint-deleted', f'checkpoints {self.last_no + 1} to {newest} are gone')
        if not self.anchors:
            self.incomplete.append('no checkpoint was given that is kept outside of the database')
        self.log = CheckedTree(self.signed + anchored, 'log-rewritten', 'log-rolled-back', self.report)
        return self.log

    def take_head(self, record):
        log, index = self.open_log(), record['log_index']
        self.counts['heads'] += 1
        if index != log.tree.size:
            self.report('head-changed', 'heads of the log are gone', leaf_index=log.tree.size, before=index)
            log.explained = True
        tenant_id, size, root = record['tenant_id'], record['size'], record['root']
        if tenant_id is None or size is None or root is None:
            self.report('head-changed', 'a head of the log is gone', leaf_index=index)
            log.explained = True
            log.add(decode(record['hash'] or ''))
            return
        computed = leaf_hash(head_bytes(tenant_id, size, root))
        if record['hash'] != encode(computed):
            self.report('head-changed', 'a head of the log was changed', tenant_id=tenant_id, leaf_index=index)
            log.explained = True
        else:
            self.heads.setdefault(tenant_id, []).append((size, decode(root)))
        log.add(computed)

    def take_tree(self, record):
        self.finish_tree()
        self.counts['trees'] += 1
        tenant_id = record['tenant_id']
        heads = self.heads.get(tenant_id, [])
        self.tree = CheckedTree(heads, 'tree-rewritten', 'tree-truncated', self.report, tenant_id)
        self.retirement = Retirement(tenant_id, self.keys, self.report)
        self.stored, self.waiting_since = (record['size'], record['root']), None
        self.headed = heads[-1][0] if heads else 0

    def tree_of(self, tenant_id):
        if self.tree is None or self.tree.tenant_id != tenant_id:
            raise Unverifiable('an entry stands outside of its tree')
        return self.tree

    def take_tile(self, record):
        tree = self.open_log() if record['tenant_id'] == LOG else self.tree_of(record['tenant_id'])
        tree.tiles[record['level'], record['index']] = (decode(record['hashes']), decode(record['root']))

    def take_entry(self, record):
        tree, index = self.tree_of(record['tenant_id']), record['leaf_index']
        self.counts['events'] += 1

        def told(kind, detail):
            self.report(kind, detail, tenant_id=tree.tenant_id, leaf_index=index, event_id=record['event_id'])
            tree.explained = True

        if index != tree.tree.size:
            self.report('leaf-deleted', 'places of the tree are gone', tenant_id=tree.tenant_id,
                        leaf_index=tree.tree.size, before=index)
            tree.explained = True
        stored, tile = decode(record['hash']), tree.tile_hash(index)
        body, columns = record['body'], record['columns']
        if body is None or columns is None:
            if not self.retirement.may_be_retired(index):
                told('event-deleted', 'the event is gone')
        else:
            computed = leaf_hash(body.encode('utf-8', 'surrogatepass'))
            self.retirement.present(index, record['event_id'], body if computed == stored else None, tree.tree)
            if computed != stored and computed != tile:
                told('body-changed', 'the text of the event is not what was sealed')
            altered = altered_columns(columns, body)
            if altered:
                told('columns-changed', f"its text says otherwise: {', '.join(altered)}")
        if tile is not None and tile != stored:
            told('leaf-changed', 'the hash at this place is not that of its tile')
        tree.add(stored)
        if tree.tree.size > self.headed and self.waiting_since is None and columns:
            self.waiting_since = columns['occurred_at']

    def finish_tree(self):
        tree, self.tree = self.tree, None
        if tree is None:
            return
        self.heads.pop(tree.tenant_id, None)
        found = len(self.findings)
        tree.finish()
        self.counts['retired'] += self.retirement.finish()
        size, root = self.stored
        fits = size == tree.tree.size and root == encode(tree.tree.root())
        if not fits and len(self.findings) == found and not tree.explained:
            self.report('tree-changed', f'it is said to have {size} leaves, and has {tree.tree.size}',
                        tenant_id=tree.tenant_id, leaf_index=min(size, tree.tree.size))
        if self.waiting_since and self.is_old(self.waiting_since):
            self.incomplete.append(f'events of tenant {tree.tenant_id} since {self.waiting_since} are under no checkpoint')

    def take_unsealed(self, record):
        if record['behind']:
            self.report('event-inserted', 'an event has no place in the tree', tenant_id=record['tenant_id'],
                        event_id=record['event_id'])
        elif self.is_old(record['occurred_at']):
            self.incomplete.append(f"event {record['event_id']} of {record['occurred_at']} is not sealed")

    def take_end(self, record):
        if record['records'] != self.records:
            raise Unverifiable('records of the archive are missing')
        log = self.open_log()
        log.finish()
        signed = self.signed[-1][0] if self.signed else 0
        if log.tree.size > signed and not log.explained:
            self.report('checkpoint-deleted', 'heads are under no checkpoint', leaf_index=signed, before=log.tree.size)
        self.finish_tree()
        for tenant_id, heads in self.heads.items():
            self.report('tree-truncated', 'the whole tree is gone', tenant_id=tenant_id, leaf_index=0,
                        before=heads[-1][0])
        if self.counts['events'] and not self.counts['checkpoints']:
            self.incomplete.append('nothing was ever signed')
        self.ended = True

    def is_old(self, text):
        return (self.at - moment(text)).total_seconds() > ON_ITS_WAY_SECONDS

    def verdict(self):
        if not self.ended:
            raise Unverifiable('the end of the archive is missing')
        return verdict_of(self.findings, self.incomplete, self.counts)


def altered_columns(columns, body):
    """Names of the columns that say something else than the body."""
    try:
        told = json.loads(body)
        actor = told.pop('actor')
        version = told.pop('v')
        told.update(actor_type=actor['type'], actor_id=actor['id'], actor_role=actor['role'],
                    credential_id=actor['credential_id'])
    except (ValueError, KeyError, TypeError, AttributeError):
        told, version = {}, None
    if version not in (1, 2):
        told = {}
    plain = functools.partial(json.dumps, sort_keys=True)
    return [name for name in COLUMNS if name not in told or plain(columns[name]) != plain(told[name])]


# Proofs of single events, and of consistency. -------------------------------------------------------------------------

def verify_proof(proof, keys):
    """The way from one event up to a signed checkpoint."""
    checkpoint = open_checkpoint(proof['checkpoint'], keys)
    if checkpoint is None:
        return 'checkpoint-forged', 'the checkpoint is not signed by a known key'
    told = json.loads(proof['body'])
    if told['tenant_id'] != proof['tenant_id'] or told['id'] != proof['event_id']:
        return 'body-changed', 'the proof is of another event'
    tree, path = proof['tree'], [decode(each) for each in proof['inclusion']]
    if not is_included(leaf_hash(proof['body'].encode()), proof['leaf_index'], tree['size'], path, decode(tree['root'])):
        return 'body-changed', "the path does not lead from the event to the root of the tenant's tree"
    head = leaf_hash(head_bytes(proof['tenant_id'], tree['size'], tree['root']))
    path = [decode(each) for each in proof['log_inclusion']]
    if not is_included(head, proof['log_index'], checkpoint[0], path, checkpoint[1]):
        return 'head-changed', "the path does not lead from the tenant's tree to the checkpoint"
    return None


def verify_consistency(proof, keys):
    """That the log of one checkpoint is the beginning of that of another."""
    first, second = open_checkpoint(proof['from'], keys), open_checkpoint(proof['to'], keys)
    if first is None or second is None:
        return 'checkpoint-forged', 'a checkpoint is not signed by a known key'
    if first[0] == 0:
        return None
    if not is_consistent(*first, *second, [decode(each) for each in proof['path']]):
        return 'log-rewritten', 'the log of the first checkpoint is not the beginning of that of the second'
    return None


def verify_tree_consistency(proof, keys):
    """That one state of a tenant's tree is the beginning of another, and that a checkpoint tells of both."""
    checkpoint = open_checkpoint(proof['checkpoint'], keys)
    if checkpoint is None:
        return 'checkpoint-forged', 'the checkpoint is not signed by a known key'
    states = []
    for name in ('from', 'to'):
        state = proof[name]
        head = leaf_hash(head_bytes(proof['tenant_id'], state['size'], state['root']))
        path = [decode(each) for each in state['log_inclusion']]
        if not is_included(head, state['log_index'], checkpoint[0], path, checkpoint[1]):
            return 'head-changed', f"the path does not lead from the state '{name}' of the tree to the checkpoint"
        states += [state['size'], decode(state['root'])]
    if not is_consistent(*states, [decode(each) for each in proof['path']]):
        return 'tree-rewritten', 'the first state of the tree is not the beginning of the second'
    return None


def verify_retired(file, first, keys):
    """Events that left a log by its retention: each is its leaf, and together they are the tree that was signed."""
    digest, tree = hashlib.sha256(), Tree()
    tree.size, frontier = first['from'], decode(first['frontier'])
    tree.stack = [frontier[at:at + 32] for at in range(0, len(frontier), 32)]
    if bin(tree.size).count('1') != len(tree.stack):
        return 'tree-changed', 'the tree before these events is none'
    file.seek(0)
    digest.update(file.readline().encode())
    for line in file:
        record = json.loads(line)
        if record['type'] == 'tombstone':
            break
        digest.update(line.encode())
        hashed = leaf_hash(record['body'].encode('utf-8', 'surrogatepass'))
        if record['leaf_index'] != tree.size or hashed != decode(record['hash']):
            return 'body-changed', f"the event at place {record['leaf_index']} is not what was sealed"
        tree.add(hashed)
    else:
        raise Unverifiable('the end of the archive is missing')
    if file.readline():
        return 'tombstone-forged', 'there is something behind it'
    if open_tombstone(record['note'], keys) != (first['tenant_id'], tree.size, tree.root(), digest.hexdigest()):
        return 'tombstone-forged', 'it is not what a known key signed'
    return None


# Files. ---------------------------------------------------------------------------------------------------------------

def decode(text):
    return base64.b64decode(text)


def encode(data):
    return base64.b64encode(data).decode()


def moment(text):
    return datetime.fromisoformat(text.replace('Z', '+00:00'))


def verdict_of(findings, incomplete=(), counts=None):
    status = 'tampered' if findings else 'incomplete' if incomplete else 'clean'
    return {'status': status, 'findings': findings, 'incomplete': list(incomplete), 'counts': counts or {}}


def verify_file(path, keys, anchors):
    with open(path, encoding='utf-8') as file:
        first = json.loads(file.readline() or '{}')
        known = {'insurance-navigator/audit-proof/v1': verify_proof,
                 'insurance-navigator/audit-consistency/v1': verify_consistency,
                 'insurance-navigator/audit-tree-consistency/v1': verify_tree_consistency}.get(first.get('format'))
        if known:
            problem = known(first, keys)
            return verdict_of([{'kind': problem[0], 'detail': problem[1]}] if problem else [])
        if first.get('format') == 'insurance-navigator/audit-retired/v1':
            problem = verify_retired(file, first, keys)
            return verdict_of([{'kind': problem[0], 'detail': problem[1]}] if problem else [])
        if first.get('type') != 'archive':
            raise Unverifiable(f'{path} is neither an archive nor a proof, or not in one line')
        archive = Archive(keys, anchors)
        archive.accept(first)
        for line in file:
            archive.accept(json.loads(line))
        return archive.verdict()


def show(path, verdict):
    for finding in verdict['findings']:
        place = ' '.join(f'{name}={finding[name]}' for name in ('tenant_id', 'leaf_index', 'before', 'event_id')
                         if name in finding)
        print(f"{path}: {finding['kind']}: {finding['detail']} {place}".rstrip())
    for text in verdict['incomplete']:
        print(f'{path}: incomplete: {text}')
    counts = ', '.join(f'{count} {name}' for name, count in verdict['counts'].items())
    print(f"{path}: {verdict['status']}" + (f': {counts}' if counts else ''))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--key', action='append', required=True, help='verifier key: name+id+key')
    parser.add_argument('--anchors', action='append', default=[], help='file of checkpoints that were kept elsewhere')
    parser.add_argument('--json', action='store_true', help='print verdicts as JSON, one a line')
    parser.add_argument('file', nargs='+')
    arguments = parser.parse_args()
    try:
        keys = [decode_key(key) for key in arguments.key]
        anchors = []
        for path in arguments.anchors:
            with open(path, encoding='utf-8') as file:
                # A last line without its end was cut off by a crash.
                anchors += [json.loads(line) for line in file if line.endswith('\n')]
        worst = 0
        for path in arguments.file:
            worst = max(worst, judge(path, keys, anchors, arguments.json), key=[0, 2, 3, 1].index)
        return worst
    except MALFORMED as problem:
        print(f'not verifiable: {problem}', file=sys.stderr)
        return 3


def judge(path, keys, anchors, as_json):
    """The exit code for one file. What cannot be read hides nothing of the others."""
    try:
        verdict = verify_file(path, keys, anchors)
    except MALFORMED as problem:
        print(f'{path}: not verifiable: {problem}', file=sys.stderr)
        return 3
    print(json.dumps(verdict)) if as_json else show(path, verdict)
    return EXIT[verdict['status']]


if __name__ == '__main__':
    sys.exit(main())
