// SPDX-License-Identifier: MIT
// What a condition says of one item that has an attribute of every type: as the condition of a write, and as a filter.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { useThings } from "../lib/suite.js";
import { B, BOOL, BS, L, M, N, NS, NULL, S, SS } from "../lib/values.js";

const ITEM = {
  n: N(5),
  str: S("hello"),
  bin: B([1, 2, 3]),
  yes: BOOL(true),
  nil: NULL,
  li: L(S("x"), N(1), M({ y: N(2) }), L(S("in"))),
  ma: M({ a: N(1), b: M({ c: S("deep") }), e: L(), "d.t": S("dot") }),
  strs: SS("a", "b"),
  nums: NS(1, 2.5, 300),
  bins: BS([1], [2, 3]),
  blank: S(""),
  seven: N(7),
  twin: S("hello"),
  word: S("S"),
};

const TRUE = [
  ["n = :v", N(5)],
  ["n = :v", N("5.0")],
  ["n = :v", N("0.5e1")],
  ["n <> :v", N(6)],
  ["n <> :v", S("5")],
  ["n < :v", N("5.0000000000000000000000000000000000001")],
  ["n <= :v", N(5)],
  ["n > :v", N("-1E125")],
  ["n >= :v", N(5)],
  [":v > n", N(6)],
  ["n < seven"],
  ["n BETWEEN :v AND seven", N(5)],
  [":v BETWEEN n AND seven", N(6)],
  ["str = twin"],
  ["str > :v", S("hell")],
  ["str < :v", S("hello\u0000")],
  ["str > :v", S("Z")],
  ["str BETWEEN :v AND :w", S("h"), S("i")],
  ["bin = :v", B([1, 2, 3])],
  ["bin < :v", B([1, 2, 3, 0])],
  ["bin > :v", B([1, 2])],
  ["bin < :v", B([255])],
  ["yes = :v", BOOL(true)],
  ["yes <> :v", BOOL(false)],
  ["nil = :v", NULL],
  ["strs = :v", SS("b", "a")],
  ["nums = :v", NS("3e2", "2.50", 1)],
  ["bins = :v", BS([2, 3], [1])],
  ["bins <> :v", BS([2], [1])],
  ["li = :v", L(S("x"), N("1.0"), M({ y: N(2) }), L(S("in")))],
  ["li <> :v", L(N(1), S("x"), M({ y: N(2) }), L(S("in")))],
  ["ma = :v", M({ e: L(), b: M({ c: S("deep") }), "d.t": S("dot"), a: N("1e0") })],
  ["ma.b = :v", M({ c: S("deep") })],
  ["ma.b.c = :v", S("deep")],
  ["li[1] = :v", N(1)],
  ["li[2].y = :v", N(2)],
  ["li[3][0] = :v", S("in")],
  ["nothing <> :v", S("x")],
  ["nothing <> nowhere"],
  ["n <> nothing"],
  ["NOT nothing = :v", S("x")],
  ["NOT n < :v", N(5)],
  ["n IN (:v, :w)", N(1), N(5)],
  ["n IN (:v, :w)", S("x"), N(5)],
  ["n IN (:v)", N("5.00")],
  [":v IN (str, n)", N(5)],
  ["attribute_exists(n)"],
  ["attribute_exists(nil)"],
  ["attribute_exists(ma.b.c)"],
  ["attribute_exists(li[3][0])"],
  ["attribute_not_exists(nothing)"],
  ["attribute_not_exists(ma.z)"],
  ["attribute_not_exists(li[4])"],
  ["attribute_not_exists(n.x)"],
  ["attribute_not_exists(li.x)"],
  ["attribute_not_exists(ma[0])"],
  ["attribute_type(n, :v)", S("N")],
  ["attribute_type(str, :v)", S("S")],
  ["attribute_type(bin, :v)", S("B")],
  ["attribute_type(yes, :v)", S("BOOL")],
  ["attribute_type(nil, :v)", S("NULL")],
  ["attribute_type(li, :v)", S("L")],
  ["attribute_type(ma, :v)", S("M")],
  ["attribute_type(strs, :v)", S("SS")],
  ["attribute_type(nums, :v)", S("NS")],
  ["attribute_type(bins, :v)", S("BS")],
  ["begins_with(str, :v)", S("hel")],
  ["begins_with(str, :v)", S("hello")],
  ["begins_with(str, :v)", S("")],
  ["begins_with(str, twin)"],
  ["begins_with(:v, str)", S("hello world")],
  ["begins_with(bin, :v)", B([1, 2])],
  ["begins_with(ma.b.c, :v)", S("de")],
  ["contains(str, :v)", S("ell")],
  ["contains(str, :v)", S("")],
  ["contains(bin, :v)", B([2, 3])],
  ["contains(strs, :v)", S("a")],
  ["contains(nums, :v)", N("2.50")],
  ["contains(bins, :v)", B([2, 3])],
  ["contains(li, :v)", S("x")],
  ["contains(li, :v)", M({ y: N(2) })],
  ["contains(li, :v)", L(S("in"))],
  ["contains(:v, str)", S("say hello")],
  ["size(str) = :v", N(5)],
  ["size(bin) = :v", N(3)],
  ["size(li) = :v", N(4)],
  ["size(ma) = :v", N(4)],
  ["size(strs) = :v", N(2)],
  ["size(nums) = :v", N(3)],
  ["size(bins) = :v", N(2)],
  ["size(blank) = :v", N(0)],
  ["size(ma.e) = :v", N(0)],
  ["size(str) = n"],
  ["size(str) < seven"],
  ["size(str) BETWEEN :v AND seven", N(5)],
  ["size(str) IN (:v)", N(5)],
  ["size(:v) = n", S("12345")],
  ["n = :v AND str = :w", N(5), S("hello")],
  ["n = :v OR str = :w", N(6), S("hello")],
  ["n = :v OR n = :w AND str = :v", N(5), N(6)],
  ["NOT (n = :v AND str = :w)", N(5), S("x")],
  ["NOT n = :v AND str = :w", N(6), S("hello")],
  ["(n = :v OR str = :w) AND attribute_exists(nil)", N(5), S("x")],
  ["(n) = :v", N(5)],
  ["not n = :v or Str = :w", N(6), S("x")],
  ["n between :v and :w", N(1), N(9)],
  ["NOT NOT n = :v", N(5)],
];

const FALSE = [
  ["n = :v", S("5")],
  ["n = :v", N("5.00000000000000000000000000000000001")],
  ["n <> :v", N(5)],
  ["n < :v", N(5)],
  ["n < :v", S("9")],
  ["n > str"],
  ["str > :v", S("hello")],
  ["str = :v", S("Hello")],
  ["str < n"],
  ["bin = :v", S("\u0001\u0002\u0003")],
  ["yes = :v", N(1)],
  ["yes = :v", S("true")],
  ["nil = :v", S("")],
  ["strs = :v", L(S("a"), S("b"))],
  ["strs = :v", SS("a")],
  ["li = :v", L(S("x"))],
  ["ma = :v", M({ a: N(1) })],
  ["nothing = :v", S("x")],
  ["nothing = nowhere"],
  ["nothing < :v", S("x")],
  ["nothing <= :v", N(1)],
  ["nothing > :v", N(1)],
  ["nothing >= :v", N(1)],
  ["nothing BETWEEN :v AND :w", N(1), N(2)],
  ["nothing IN (:v)", N(1)],
  ["n BETWEEN :v AND :w", N(6), N(9)],
  ["n BETWEEN :v AND :w", S("1"), S("9")],
  ["n IN (:v, :w)", S("5"), N(6)],
  ["NOT n IN (:v)", N(5)],
  ["NOT nothing <> :v", S("x")],
  ["attribute_exists(nothing)"],
  ["attribute_exists(Str)"],
  ["attribute_exists(li[9])"],
  ["attribute_not_exists(nil)"],
  ["attribute_not_exists(blank)"],
  ["attribute_type(n, :v)", S("S")],
  ["attribute_type(nothing, :v)", S("NULL")],
  ["attribute_type(strs, :v)", S("L")],
  ["begins_with(str, :v)", S("ello")],
  ["begins_with(str, :v)", S("hello!")],
  ["begins_with(n, :v)", S("5")],
  ["begins_with(nothing, :v)", S("")],
  ["begins_with(strs, :v)", S("a")],
  ["begins_with(bin, :v)", S("\u0001")],
  ["contains(str, :v)", S("Hell")],
  ["contains(str, :v)", N(5)],
  ["contains(strs, :v)", S("c")],
  ["contains(strs, :v)", N(1)],
  ["contains(nums, :v)", S("1")],
  ["contains(ma, :v)", S("a")],
  ["contains(li, :v)", S("in")],
  ["contains(n, :v)", N(5)],
  ["contains(nothing, :v)", S("x")],
  ["size(n) = :v", N(1)],
  ["size(yes) > :v", N(-1)],
  ["size(nil) >= :v", N(0)],
  ["size(nothing) = :v", N(0)],
  ["size(str) = :v", S("5")],
  ["n = :v AND str = :w", N(5), S("x")],
  ["NOT (n = :v OR str = :w)", N(6), S("hello")],
  ["NOT n = :v OR str = :w", N(5), S("x")],
];

const shown = (value) => JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? [...part].join(" ") : part));

describe("of an item with everything in it", () => {
  const db = useThings();
  before(() => db.put("all", ITEM));

  for (const [holds, cases] of [[true, TRUE], [false, FALSE]])
    for (const [expression, v, w] of cases)
      it(`${expression}${v ? ` with ${shown(v)}` : ""}${w ? ` and ${shown(w)}` : ""} is ${holds}`, async () => {
        const ExpressionAttributeValues = v && { ":v": v, ...(w && { ":w": w }) };
        const scanned = await db.ask("Scan", { TableName: "Things", FilterExpression: expression, ExpressionAttributeValues });
        assert.equal(scanned.Count, holds ? 1 : 0, "as a filter");
        const write = db.things("all", { ConditionExpression: expression, ExpressionAttributeValues });
        if (holds) await db.ask("UpdateItem", write);
        else await db.refuses("UpdateItem", write, "ConditionalCheckFailedException", "The conditional request failed");
      });

  it("names stand for one step each, whatever is in them", async () => {
    const found = await db.ask("Scan", {
      TableName: "Things", FilterExpression: "#m.#d = :v", ExpressionAttributeNames: { "#m": "ma", "#d": "d.t" }, ExpressionAttributeValues: { ":v": S("dot") },
    });
    assert.equal(found.Count, 1);
  });
  it("a name with a dot is no path", async () => {
    const found = await db.ask("Scan", { TableName: "Things", FilterExpression: "attribute_exists(#x)", ExpressionAttributeNames: { "#x": "ma.b" } });
    assert.equal(found.Count, 0);
  });
  it("blanks may be where they like, or not at all", async () => {
    const found = await db.ask("Scan", { TableName: "Things", FilterExpression: "\t( n=:v )AND\r\nattribute_exists( ma . b [0] )OR(n<:w)", ExpressionAttributeValues: { ":v": N(5), ":w": N(6) } });
    assert.equal(found.Count, 1);
  });
});
