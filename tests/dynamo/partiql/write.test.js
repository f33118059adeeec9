// SPDX-License-Identifier: MIT
// ExecuteStatement with INSERT, UPDATE and DELETE.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { attribute, index, P, useServer } from "../lib/suite.js";
import { B, BOOL, L, M, N, NS, NULL, S, SS } from "../lib/values.js";

const MALFORMED = /^Statement wasn't well formed, can't be processed: /;
const NO_KEY = "Where clause does not contain a mandatory equality on all key attributes";
const FAILED = ["ConditionalCheckFailedException", "The conditional request failed"];

function useStatements() {
  const db = useServer();
  before(async () => {
    await db.makeTable("Things");
    await db.makeTable("Pairs", "N", { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [index("ByG", "g")] } });
  });
  const run = (Statement, ...Parameters) => db.ask("ExecuteStatement", { Statement, Parameters: Parameters.length ? Parameters : undefined });
  return Object.assign(db, {
    run,
    refused: (Statement, sentence, ...Parameters) => db.invalid("ExecuteStatement", { Statement, Parameters: Parameters.length ? Parameters : undefined }, sentence),
    put: (p, attributes = {}) => db.ask("PutItem", { TableName: "Things", Item: { p: S(p), ...attributes } }),
    async get(p) {
      const { Item } = await db.ask("GetItem", { TableName: "Things", Key: { p: S(p) }, ConsistentRead: true });
      if (!Item) return undefined;
      const { p: _, ...rest } = Item;
      return rest;
    },
  });
}

describe("INSERT", () => {
  const db = useStatements();
  for (const [value, wanted, ...parameters] of [
    ["'x'", S("x")],
    ["''", S("")],
    ["'it''s'", S("it's")],
    ["'é 漢'", S("é 漢")],
    ["5", N(5)],
    ["-1.50", N("-1.5")],
    ["+2", N(2)],
    ["1e3", N(1000)],
    ["true", BOOL(true)],
    ["FALSE", BOOL(false)],
    ["null", NULL],
    ["[]", L()],
    ["{}", M({})],
    ["[1, 'a', [true]]", L(N(1), S("a"), L(BOOL(true)))],
    ["{'a': {'b': null}}", M({ a: M({ b: NULL }) })],
    ["<<'b', 'a'>>", SS("a", "b")],
    ["<<2, 10>>", NS(2, 10)],
    ["?", B([1, 2]), B([1, 2])],
    ["?", SS("x"), SS("x")],
    ["[?, {'k': ?}]", L(N(1), M({ k: S("x") })), N("1.0"), S("x")],
    ["<<?, 3>>", NS(1, 3), N(1)],
  ])
    it(`keeps ${value}${parameters.length ? ` with ${JSON.stringify(wanted)}` : ""}`, async () => {
      const p = `insert ${value} ${JSON.stringify(wanted)}`;
      assert.deepEqual(await db.run(`INSERT INTO Things VALUE {'p': ?, 'v': ${value}}`, S(p), ...parameters), { Items: [] });
      assert.deepEqual(await db.get(p), { v: wanted });
    });

  it("takes a whole item's values in their order", async () => {
    await db.run("insert into \"Things\" value {'a': ?, 'p': ?, 'b': ?}", N(1), S("order"), N(2));
    assert.deepEqual(await db.get("order"), { a: N(1), b: N(2) });
  });
  it("refuses a key that is there, and leaves what is there", async () => {
    await db.put("dup", { v: N(1) });
    await db.refuses("ExecuteStatement", { Statement: "INSERT INTO Things VALUE {'p': 'dup', 'v': 2}" }, "DuplicateItemException", "Duplicate primary key exists in table");
    assert.deepEqual(await db.get("dup"), { v: N(1) });
  });
  for (const [what, statement, sentence, ...parameters] of [
    ["no key", "INSERT INTO Things VALUE {'v': 1}", `${P}Missing the key p in the item`],
    ["half a key", "INSERT INTO Pairs VALUE {'p': 'a'}", `${P}Missing the key s in the item`],
    ["a key of another type", "INSERT INTO Things VALUE {'p': 1}", `${P}Type mismatch for key p expected: S actual: N`],
    ["an empty key", "INSERT INTO Things VALUE {'p': ''}", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"],
    ["an index key of another type", "INSERT INTO Pairs VALUE {'p': 'a', 's': 1, 'g': 5}", `${P}Type mismatch for Index Key g Expected: S Actual: N IndexName: ByG`],
    ["an item that is no map", "INSERT INTO Things VALUE 5", MALFORMED],
    ["no item", "INSERT INTO Things VALUE", MALFORMED],
    ["VALUES", "INSERT INTO Things VALUES {'p': 'x'}", MALFORMED],
    ["no INTO", "INSERT Things VALUE {'p': 'x'}", MALFORMED],
    ["names without quotes", "INSERT INTO Things VALUE {p: 'x'}", MALFORMED],
    ["a path for a value", "INSERT INTO Things VALUE {'p': q}", MALFORMED],
    ["an end without end", "INSERT INTO Things VALUE {'p': 'x'", MALFORMED],
    ["a set of two kinds", "INSERT INTO Things VALUE {'p': 'x', 'v': <<1, 'a'>>}", MALFORMED],
    ["an index", "INSERT INTO Pairs.ByG VALUE {'p': 'x', 's': 1}", MALFORMED],
    ["a set with an element twice", "INSERT INTO Things VALUE {'p': 'x', 'v': <<'a', 'a'>>}", `${P}Input collection [a, a] contains duplicates.`],
    ["values too few", "INSERT INTO Things VALUE {'p': ?, 'v': ?}", "Number of parameters in request and statement don't match.", S("x")],
    ["values too many", "INSERT INTO Things VALUE {'p': ?}", "Number of parameters in request and statement don't match.", S("x"), S("y")],
    ["a value that is empty inside", "INSERT INTO Things VALUE {'p': 'x', 'v': ?}", `${P}An number set  may not be empty`, NS()],
    ["more than an item holds", "INSERT INTO Things VALUE {'p': 'x', 'v': ?}", "Item size has exceeded the maximum allowed size", S("x".repeat(409600))],
    ["33 levels", `INSERT INTO Things VALUE {'p': 'x', 'v': ${"[".repeat(32)}1${"]".repeat(32)}}`, "Nesting Levels have exceeded supported limits"],
  ])
    it(`refuses ${what}`, () => db.refused(statement, sentence, ...parameters));
  it("does not know other tables", () =>
    db.refuses("ExecuteStatement", { Statement: "INSERT INTO Absent VALUE {'p': 'x'}" }, "ResourceNotFoundException", "Requested resource not found"));
  it("counts what it wrote", async () =>
    assert.deepEqual(await db.ask("ExecuteStatement", { Statement: "INSERT INTO Things VALUE {'p': 'cost', 'v': ?}", Parameters: [S("x".repeat(1500))], ReturnConsumedCapacity: "TOTAL" }),
      { Items: [], ConsumedCapacity: { TableName: "Things", CapacityUnits: 2 } }));
});

describe("UPDATE", () => {
  const db = useStatements();
  const ITEM = { n: N(5), t: S("x"), l: L(N(1), N(2)), m: M({ a: N(1), b: L(S("x"), S("y")) }), ss: SS("a", "b"), "odd name": N(1) };

  for (const [actions, changed, ...parameters] of [
    ["SET n = 6", { n: N(6) }],
    ["SET n = ?", { n: N(6) }, N(6)],
    ["SET n = n + 1", { n: N(6) }],
    ["SET n = n - 1.5", { n: N("3.5") }],
    ["SET n = 10 - n", { n: N(5) }],
    ["SET n = n + n", { n: N(10) }],
    ["SET n = n + ?", { n: N(7) }, N(2)],
    ["SET fresh = 'y'", { fresh: S("y") }],
    ["SET fresh = t", { fresh: S("x") }],
    ["SET fresh = m.b[1]", { fresh: S("y") }],
    ["SET n = 1, t = 'z'", { n: N(1), t: S("z") }],
    ["SET n = 1 SET t = 'z'", { n: N(1), t: S("z") }],
    ["SET m.a = 2", { m: M({ a: N(2), b: L(S("x"), S("y")) }) }],
    ["SET m.fresh = true", { m: M({ a: N(1), b: L(S("x"), S("y")), fresh: BOOL(true) }) }],
    ["SET m.b[0] = 'z'", { m: M({ a: N(1), b: L(S("z"), S("y")) }) }],
    ["SET l[9] = 3", { l: L(N(1), N(2), N(3)) }],
    ["SET l = list_append(l, [3])", { l: L(N(1), N(2), N(3)) }],
    ["SET l = list_append(?, l)", { l: L(N(0), N(1), N(2)) }, L(N(0))],
    ["SET ss = set_add(ss, <<'c'>>)", { ss: SS("a", "b", "c") }],
    ["SET ss = set_add(ss, ?)", { ss: SS("a", "b", "c") }, SS("a", "c")],
    ["SET ss = set_delete(ss, <<'a'>>)", { ss: SS("b") }],
    ["SET ss = set_delete(ss, <<'a','b'>>)", { ss: undefined }],
    ["SET \"odd name\" = 2", { "odd name": N(2) }],
    ["REMOVE n", { n: undefined }],
    ["REMOVE n, t", { n: undefined, t: undefined }],
    ["REMOVE l[0]", { l: L(N(2)) }],
    ["REMOVE m.b[1]", { m: M({ a: N(1), b: L(S("x")) }) }],
    ["REMOVE nothing", {}],
    ["SET n = 1 REMOVE t", { n: N(1), t: undefined }],
    ["REMOVE t SET n = 1", { n: N(1), t: undefined }],
    ["SET t = n, n = 7", { t: N(5), n: N(7) }],
    ["set n = 1 remove t", { n: N(1), t: undefined }],
  ])
    it(`does ${actions}`, async () => {
      await db.put("u", ITEM);
      assert.deepEqual(await db.run(`UPDATE "Things" ${actions} WHERE p = 'u'`, ...parameters), { Items: [] });
      const wanted = Object.fromEntries(Object.entries({ ...ITEM, ...changed }).filter(([, value]) => value));
      assert.deepEqual(await db.get("u"), wanted);
    });

  describe("with a condition", () => {
    for (const [where, holds] of [
      ["n = 5", true], ["n > 5", false], ["t = 'x' AND n = 5", true], ["n = 6 OR t = 'x'", true], ["NOT n = 5", false], ["none IS MISSING", true],
      ["none IS NOT MISSING", false], ["contains(ss, 'a')", true], ["begins_with(t, 'y')", false], ["m.a = 1", true], ["size(l) = 2", true],
      ["n IN [4, 5]", true], ["attribute_type(n, 'S')", false], ["n BETWEEN 6 AND 9", false],
    ])
      it(`${holds ? "writes" : "does not write"} where ${where}`, async () => {
        await db.put("c", ITEM);
        const Statement = `UPDATE Things SET done = true WHERE p = 'c' AND (${where})`;
        if (holds) await db.run(Statement);
        else await db.refuses("ExecuteStatement", { Statement }, ...FAILED);
        assert.equal((await db.get("c")).done?.BOOL, holds || undefined);
      });
    it("shows the item that it met when asked", async () => {
      await db.put("met", { n: N(1) });
      const error = await db.refuses("ExecuteStatement", { Statement: "UPDATE Things SET n = 2 WHERE p = 'met' AND n = 9", ReturnValuesOnConditionCheckFailure: "ALL_OLD" }, ...FAILED);
      assert.deepEqual(error.Item, { p: S("met"), n: N(1) });
    });
  });

  it("makes no item", async () => {
    await db.refuses("ExecuteStatement", { Statement: "UPDATE Things SET n = 1 WHERE p = 'ghost'" }, ...FAILED);
    assert.equal(await db.get("ghost"), undefined);
  });
  it("makes no item by REMOVE either", () => db.refuses("ExecuteStatement", { Statement: "UPDATE Things REMOVE n WHERE p = 'ghost'" }, ...FAILED));

  describe("returns", () => {
    for (const [returning, wanted] of [
      ["ALL OLD", { p: S("r"), n: N(1), m: M({ x: N(1), y: N(2) }) }],
      ["ALL NEW", { p: S("r"), n: N(2), m: M({ x: N(9), y: N(2) }) }],
      ["MODIFIED OLD", { n: N(1), m: M({ x: N(1) }) }],
      ["MODIFIED NEW", { n: N(2), m: M({ x: N(9) }) }],
    ])
      it(returning, async () => {
        await db.put("r", { n: N(1), m: M({ x: N(1), y: N(2) }) });
        assert.deepEqual(await db.run(`UPDATE Things SET n = 2, m.x = 9 WHERE p = 'r' RETURNING ${returning} *`), { Items: [wanted] });
      });
    for (const wrong of ["", "ALL", "OLD *", "ALL OLD", "ALL OLD n", "SOME OLD *", "MODIFIED *"])
      it(`not "${wrong}"`, () => db.refused(`UPDATE Things SET n = 2 WHERE p = 'r' RETURNING ${wrong}`, MALFORMED));
  });

  for (const [what, statement, sentence, ...parameters] of [
    ["no WHERE", "UPDATE Things SET n = 1", NO_KEY],
    ["no key in WHERE", "UPDATE Things SET n = 1 WHERE n = 1", NO_KEY],
    ["half a key", "UPDATE Pairs SET n = 1 WHERE p = 'a'", NO_KEY],
    ["a range of keys", "UPDATE Pairs SET n = 1 WHERE p = 'a' AND s > 1", NO_KEY],
    ["a key or another", "UPDATE Things SET n = 1 WHERE p = 'a' OR p = 'b'", NO_KEY],
    ["a list of keys", "UPDATE Things SET n = 1 WHERE p IN ['a', 'b']", NO_KEY],
    ["a key that is not", "UPDATE Things SET n = 1 WHERE NOT p = 'a'", NO_KEY],
    ["a key of another type", "UPDATE Things SET n = 1 WHERE p = 5", "The provided key element does not match the schema"],
    ["an empty key", "UPDATE Things SET n = 1 WHERE p = ''", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"],
    ["to write a key", "UPDATE Things SET p = 'b' WHERE p = 'a'", `${P}Cannot update attribute p. This attribute is part of the key`],
    ["to remove a key", "UPDATE Pairs REMOVE s WHERE p = 'a' AND s = 1", `${P}Cannot update attribute s. This attribute is part of the key`],
    ["an index key of another type", "UPDATE Pairs SET g = 5 WHERE p = 'a' AND s = 1", `${P}Type mismatch for Index Key g Expected: S Actual: N IndexName: ByG`],
    ["no action", "UPDATE Things WHERE p = 'a'", MALFORMED],
    ["no value", "UPDATE Things SET n WHERE p = 'a'", MALFORMED],
    ["nothing to remove", "UPDATE Things REMOVE WHERE p = 'a'", MALFORMED],
    ["a condition for a value", "UPDATE Things SET n = a > 1 WHERE p = 'a'", MALFORMED],
    ["FROM", "UPDATE FROM Things SET n = 1 WHERE p = 'a'", MALFORMED],
    ["an index", "UPDATE Pairs.ByG SET n = 1 WHERE p = 'a' AND s = 1", MALFORMED],
    ["a path twice", "UPDATE Things SET n = 1, n = 2 WHERE p = 'a'", /overlap/],
    ["a path within another", "UPDATE Things SET n = 1 REMOVE n.x WHERE p = 'a'", /overlap/],
    ["paths that make a map and a list of one", "UPDATE Things SET m.a = 1, m[0] = 2 WHERE p = 'a'", /^Two document paths conflict with each other; .*; path one: \[m, a\], path two: \[m, \[0\]\]$/],
    ["a reserved word", "UPDATE Things SET value = 1 WHERE p = 'a'", MALFORMED],
    ["an attribute compared with itself", "UPDATE Things SET n = 1 WHERE p = 'a' AND m.a = m.a", /^The first operand must be distinct/],
    ["set_add of a number", "UPDATE Things SET n = set_add(n, 1) WHERE p = 'a'", "Incorrect operand type for operator or function; operator or function: set_add, operand type: N"],
    ["list_append of a number", "UPDATE Things SET l = list_append(l, 1) WHERE p = 'a'", "Incorrect operand type for operator or function; operator or function: list_append, operand type: N"],
    ["a string added", "UPDATE Things SET n = n + 'x' WHERE p = 'a'", "Incorrect operand type for operator or function; operator or function: +, operand type: S"],
    ["an order of booleans", "UPDATE Things SET n = 1 WHERE p = 'a' AND n < true", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"],
    ["values too few", "UPDATE Things SET n = ? WHERE p = ?", "Number of parameters in request and statement don't match.", N(1)],
  ])
    it(`refuses ${what}`, async () => {
      await db.put("a", ITEM);
      await db.refused(statement, sentence, ...parameters);
      assert.deepEqual(await db.get("a"), ITEM);
    });
  for (const [what, actions, sentence] of [
    ["a path that leads nowhere", "SET x.y = 1", "The document path provided in the update expression is invalid for update"],
    ["a path through a number", "SET n.x = 1", "The document path provided in the update expression is invalid for update"],
    ["an attribute that is not there", "SET n = none + 1", "The provided expression refers to an attribute that does not exist in the item"],
    ["to count with a string", "SET n = t + 1", "An operand in the update expression has an incorrect data type"],
    ["to append to a string", "SET t = list_append(t, [1])", "An operand in the update expression has an incorrect data type"],
    ["to add numbers to strings", "SET ss = set_add(ss, <<1>>)", "An operand in the update expression has an incorrect data type"],
    ["a sum of too many digits", "SET n = n + 1e50", /^Number overflow/],
  ])
    it(`finds out ${what}`, async () => {
      await db.put("late", ITEM);
      await db.refused(`UPDATE Things ${actions} WHERE p = 'late'`, sentence);
    });
});

describe("DELETE", () => {
  const db = useStatements();
  const ONLY_OLD = (returning) => `Invalid returning clause: RETURNING ${returning} *. Only RETURNING ALL OLD * is allowed in DELETE statements.`;

  it("takes the item away", async () => {
    await db.put("d", { n: N(1) });
    assert.deepEqual(await db.run("DELETE FROM \"Things\" WHERE p = 'd'"), { Items: [] });
    assert.equal(await db.get("d"), undefined);
  });
  it("is content where nothing is", async () => assert.deepEqual(await db.run("DELETE FROM Things WHERE p = ?", S("never")), { Items: [] }));
  it("is content where nothing is, whatever its condition", async () => assert.deepEqual(await db.run("DELETE FROM Things WHERE p = 'never' AND n = 1"), { Items: [] }));
  it("shows what it took", async () => {
    await db.put("shown", { n: N(1) });
    assert.deepEqual(await db.run("DELETE FROM Things WHERE p = 'shown' RETURNING ALL OLD *"), { Items: [{ p: S("shown"), n: N(1) }] });
  });
  it("shows nothing where nothing was", async () => assert.deepEqual(await db.run("DELETE FROM Things WHERE p = 'never' RETURNING ALL OLD *"), { Items: [] }));
  it("takes one of many by its whole key", async () => {
    for (const s of [1, 2]) await db.run("INSERT INTO Pairs VALUE {'p': 'a', 's': ?}", N(s));
    await db.run("DELETE FROM Pairs WHERE s = 1.0 AND p = 'a'");
    assert.deepEqual((await db.run("SELECT s FROM Pairs WHERE p = 'a'")).Items, [{ s: N(2) }]);
  });
  it("takes what its condition lets go", async () => {
    await db.put("let", { n: N(1) });
    await db.run("DELETE FROM Things WHERE p = 'let' AND n = 1");
    assert.equal(await db.get("let"), undefined);
  });
  it("leaves what its condition keeps", async () => {
    await db.put("kept", { n: N(1) });
    await db.refuses("ExecuteStatement", { Statement: "DELETE FROM Things WHERE p = 'kept' AND n > 1" }, ...FAILED);
    assert.deepEqual(await db.get("kept"), { n: N(1) });
  });
  it("costs a unit where nothing was", async () =>
    assert.equal((await db.ask("ExecuteStatement", { Statement: "DELETE FROM Things WHERE p = 'never'", ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity.CapacityUnits, 1));
  for (const returning of ["ALL NEW", "MODIFIED OLD", "MODIFIED NEW"])
    it(`does not return ${returning}`, () => db.refused(`DELETE FROM Things WHERE p = 'd' RETURNING ${returning} *`, ONLY_OLD(returning)));
  for (const [what, statement, sentence] of [
    ["no WHERE", "DELETE FROM Things", NO_KEY],
    ["half a key", "DELETE FROM Pairs WHERE p = 'a'", NO_KEY],
    ["a range of keys", "DELETE FROM Pairs WHERE p = 'a' AND s BETWEEN 1 AND 2", NO_KEY],
    ["two values for the key", "DELETE FROM Things WHERE p IN ['a']  OR p = 'b'", NO_KEY],
    ["a key of another type", "DELETE FROM Pairs WHERE p = 'a' AND s = '1'", "The provided key element does not match the schema"],
    ["no FROM", "DELETE Things WHERE p = 'a'", MALFORMED],
    ["an attribute", "DELETE n FROM Things WHERE p = 'a'", MALFORMED],
    ["an index", "DELETE FROM Pairs.ByG WHERE p = 'a' AND s = 1", MALFORMED],
  ])
    it(`refuses ${what}`, () => db.refused(statement, sentence));
  it("does not know other tables", () =>
    db.refuses("ExecuteStatement", { Statement: "DELETE FROM Absent WHERE p = 'x'" }, "ResourceNotFoundException", "Requested resource not found"));
});
