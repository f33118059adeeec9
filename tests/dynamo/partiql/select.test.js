// SPDX-License-Identifier: MIT
// ExecuteStatement with SELECT: what it finds, how it pages, and what it refuses.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ALL, attribute, index, KEYS_ONLY, P, useServer } from "../lib/suite.js";
import { BOOL, L, M, N, NULL, S, SS } from "../lib/values.js";

const MALFORMED = /^Statement wasn't well formed, can't be processed: /;
const UNMATCHED = "Number of parameters in request and statement don't match.";

const song = (s) => ({
  p: S("a"), s: N(s), n: N(s * 10), title: S(`song ${s}`), odd: BOOL(s % 2 === 1), tags: SS("all", `t${s % 3}`),
  l: L(N(s), S("x")), m: M({ x: N(s), deep: M({ y: N(-s) }) }), g: S(s < 6 ? "low" : "high"), "odd name": N(s),
  ...(s <= 3 ? { some: S("thing") } : s === 4 ? { some: NULL } : {}),
});

describe("SELECT", () => {
  const db = useServer();
  const run = (Statement, Parameters, more = {}) => db.ask("ExecuteStatement", { Statement, Parameters, ...more });
  const found = async (...args) => (await run(...args)).Items.map((item) => Number(item.s.N));
  const numbers = (items) => items.map((item) => `${item.p.S}${item.s.N}`);

  before(async () => {
    await db.makeTable("Music", "N", {
      attributes: [attribute("g"), attribute("n", "N")],
      input: {
        GlobalSecondaryIndexes: [index("ByG", "g", "n", KEYS_ONLY), index("All", "g", "n", ALL)],
        LocalSecondaryIndexes: [index("ByN", "p", "n", KEYS_ONLY)],
      },
    });
    const items = [...Array.from({ length: 10 }, (_, i) => song(i + 1)), ...[1, 2, 3].map((s) => ({ p: S("b"), s: N(s), v: N(s) })), { p: S("c"), s: N(1) }];
    await db.ask("BatchWriteItem", { RequestItems: { Music: items.map((Item) => ({ PutRequest: { Item } })) } });
  });

  describe("in one partition finds by", () => {
    for (const [where, wanted, ...parameters] of [
      ["s = 3", [3]],
      ["s = ?", [3], N(3)],
      ["3 = s", [3]],
      ["s = 3.0", [3]],
      ["s = 30e-1", [3]],
      ["s < 3", [1, 2]],
      ["s <= 3", [1, 2, 3]],
      ["s > 8", [9, 10]],
      ["s >= 8", [8, 9, 10]],
      ["8 <= s", [8, 9, 10]],
      ["8 > s AND s > 5", [6, 7]],
      ["s <> 5 AND s < 7", [1, 2, 3, 4, 6]],
      ["s BETWEEN 4 AND 6", [4, 5, 6]],
      ["s NOT BETWEEN 2 AND 9", [1, 10]],
      ["s IN [2, 4, 99]", [2, 4]],
      ["s IN (2, 4)", [2, 4]],
      ["s NOT IN [1,2,3,4,5,6,7,8]", [9, 10]],
      ["s = 1 OR s = 10", [1, 10]],
      ["NOT s > 2", [1, 2]],
      ["NOT (s > 2 AND s < 9)", [1, 2, 9, 10]],
      ["(s < 5 OR n > 90) AND odd = false", [2, 4, 10]],
      ["n = 40", [4]],
      ["n = ?", [4], N("4E1")],
      ["n <> 40 AND n <= 50", [1, 2, 3, 5]],
      ["odd = true AND n < 40", [1, 3]],
      ["title = 'song 7'", [7]],
      ["title > 'song 8'", [9]],
      ["title BETWEEN 'song 2' AND 'song 4'", [2, 3, 4]],
      ["title IN ['song 1', 'nothing']", [1]],
      ["begins_with(title, 'song 1')", [1, 10]],
      ["begins_with(title, ?)", [1, 10], S("song 1")],
      ["NOT begins_with(title, 'song')", []],
      ["contains(title, '0')", [10]],
      ["contains(tags, 't0')", [3, 6, 9]],
      ["contains(l, 5)", [5]],
      ["contains(l, 'x') AND s = 2", [2]],
      ["contains(n, 1)", []],
      ["attribute_type(\"some\", 'S')", [1, 2, 3]],
      ["attribute_type(m, 'M') AND s > 9", [10]],
      ["size(l) = 2 AND s < 3", [1, 2]],
      ["size(title) > 6", [10]],
      ["\"some\" IS MISSING AND s < 7", [5, 6]],
      ["\"some\" IS NOT MISSING", [1, 2, 3, 4]],
      ["\"some\" IS NULL", [4]],
      ["\"some\" IS NOT NULL AND s < 6", [1, 2, 3, 5]],
      ["m.x = 6", [6]],
      ["m.deep.y <= -9", [9, 10]],
      ["l[0] = 8", [8]],
      ["l[1] = 'x' AND s = 1", [1]],
      ["l[2] IS MISSING AND s = 1", [1]],
      ["m = {'x': 3, 'deep': {'y': -3}}", [3]],
      ["l = [4, 'x']", [4]],
      ["l = ?", [4], L(N("4.0"), S("x"))],
      ["tags = <<'t2', 'all'>>", [2, 5, 8]],
      ["tags = ?", [1, 4, 7, 10], SS("t1", "all")],
      ["\"odd name\" = 2", [2]],
      ["\"title\" = 'song 2'", [2]],
      ["n > m.x AND s = 1", [1]],
      ["nothing = 1", []],
      ["nothing <> 1 AND s = 1", [1]],
      ["title = 7", []],
      ["s = 1 AND s = 2", []],
      ["s BETWEEN ? AND ?", [2, 3], N(2), N(3)],
      ["n IN [?, ?, 30]", [1, 2, 3], N(10), N(20)],
    ])
      it(`${where}${parameters.length ? " with values" : ""}`, async () =>
        assert.deepEqual(await found(`SELECT * FROM "Music" WHERE p = 'a' AND (${where})`, parameters.length ? parameters : undefined), wanted));
  });

  describe("says", () => {
    for (const [what, paths, wanted] of [
      ["one attribute", "title", { title: S("song 1") }],
      ["several", "s, title , p", { s: N(1), title: S("song 1"), p: S("a") }],
      ["what is there of it", "nothing, n", { n: N(10) }],
      ["nothing of what is not there", "nothing", {}],
      ["a name in quotes", "\"odd name\"", { "odd name": N(1) }],
      ["a reserved word in quotes", "\"some\"", { some: S("thing") }],
      ["a whole map", "m", { m: M({ x: N(1), deep: M({ y: N(-1) }) }) }],
      ["everything", "*", song(1)],
    ])
      it(what, async () => assert.deepEqual((await run(`SELECT ${paths} FROM Music WHERE p='a' AND s=1`)).Items, [wanted]));
    it("the same whatever the case of its words, and with white space", async () =>
      assert.deepEqual((await run("select\ttitle\nfrom \"Music\"\r\n where p = 'a' and not s >= 2")).Items, [{ title: S("song 1") }]));
    it("an item however its table is quoted", async () => assert.deepEqual(await found("SELECT * FROM Music WHERE p='a' AND s=1"), [1]));
  });

  describe("looks through", () => {
    it("partitions that are listed, in their order", async () =>
      assert.deepEqual(numbers((await run("SELECT p, s FROM Music WHERE p IN ['c', 'b']")).Items), ["c1", "b1", "b2", "b3"]));
    it("partitions that are ORed", async () =>
      assert.deepEqual(numbers((await run("SELECT p, s FROM Music WHERE p = 'c' OR p = 'b'")).Items), ["c1", "b1", "b2", "b3"]));
    it("a partition listed twice once", async () =>
      assert.deepEqual(numbers((await run("SELECT p, s FROM Music WHERE p IN ['c', 'c']")).Items), ["c1"]));
    it("one range in each listed partition", async () =>
      assert.deepEqual(numbers((await run("SELECT p, s FROM Music WHERE p IN ['a','b'] AND s BETWEEN 2 AND 3")).Items), ["a2", "a3", "b2", "b3"]));
    it("everything without WHERE", async () => assert.equal((await run("SELECT p FROM Music")).Items.length, 14));
    it("everything for what is no key", async () => assert.deepEqual(numbers((await run("SELECT * FROM Music WHERE v = 2")).Items), ["b2"]));
    it("everything for a part of the key's values", async () => assert.equal((await run("SELECT * FROM Music WHERE begins_with(p, 'a')")).Items.length, 10));
    it("everything for one key or something else", async () =>
      assert.deepEqual(numbers((await run("SELECT * FROM Music WHERE p = 'c' OR v = 3")).Items).sort(), ["b3", "c1"]));
    it("50 partitions", async () =>
      assert.equal((await run(`SELECT * FROM Music WHERE p IN [${[..."c".repeat(1), ...Array.from({ length: 49 }, (_, i) => `z${i}`)].map((p) => `'${p}'`)}]`)).Items.length, 1));
    it("a global index, in its order", async () => assert.deepEqual(await found("SELECT * FROM Music.ByG WHERE g = 'low' AND n > 10"), [2, 3, 4, 5]));
    it("an index that is quoted", async () => assert.deepEqual(await found("SELECT * FROM \"Music\".\"ByG\" WHERE g = 'high' AND n = 60"), [6]));
    it("an index for what it holds", async () =>
      assert.deepEqual((await run("SELECT * FROM Music.ByG WHERE g = 'low' AND n = 10")).Items, [{ p: S("a"), s: N(1), g: S("low"), n: N(10) }]));
    it("an index that holds all", async () => assert.deepEqual(await found("SELECT * FROM Music.\"All\" WHERE g = 'low' AND title = 'song 2'"), [2]));
    it("a whole index", async () => assert.equal((await run("SELECT * FROM Music.ByG")).Items.length, 10));
    it("a local index strongly", async () =>
      assert.deepEqual(await found("SELECT * FROM Music.ByN WHERE p = 'a' AND n BETWEEN 20 AND 40", undefined, { ConsistentRead: true }), [2, 3, 4]));
  });

  describe("sorts", () => {
    for (const [order, wanted] of [["s", [1, 2, 3]], ["s ASC", [1, 2, 3]], ["s DESC", [3, 2, 1]], ["\"s\" desc", [3, 2, 1]], ["p DESC", [3, 2, 1]]])
      it(`by ${order}`, async () => assert.deepEqual(await found(`SELECT * FROM Music WHERE p = 'a' AND s <= 3 ORDER BY ${order}`), wanted));
    it("an index downward", async () => assert.deepEqual(await found("SELECT * FROM Music.ByG WHERE g = 'low' ORDER BY n DESC"), [5, 4, 3, 2, 1]));
    for (const [what, statement, sentence] of [
      ["not without WHERE", "SELECT * FROM Music ORDER BY s", "Must have WHERE clause in the statement when using ORDER BY clause."],
      ["not without the partition key", "SELECT * FROM Music WHERE s = 1 ORDER BY s", "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."],
      ["not by what is no key", "SELECT * FROM Music WHERE p = 'a' ORDER BY n", "Variable reference n in ORDER BY clause must be part of the primary key"],
      ["not without BY", "SELECT * FROM Music WHERE p = 'a' ORDER s", MALFORMED],
      ["not without a name", "SELECT * FROM Music WHERE p = 'a' ORDER BY", MALFORMED],
    ])
      it(what, () => db.invalid("ExecuteStatement", { Statement: statement }, sentence));
  });

  describe("goes on", () => {
    const pages = async (Statement, Limit, Parameters) => {
      const all = [];
      for (let NextToken, turns = 0; turns < 40; turns++) {
        const said = await run(Statement, Parameters, { Limit, NextToken });
        assert.ok(said.Items.length <= Limit);
        all.push(...said.Items);
        NextToken = said.NextToken;
        if (!NextToken) return numbers(all);
      }
      assert.fail("without end");
    };
    for (const limit of [1, 3, 4, 10, 100]) {
      it(`in a partition, ${limit} at a time`, async () =>
        assert.deepEqual(await pages("SELECT * FROM Music WHERE p = 'a'", limit), Array.from({ length: 10 }, (_, i) => `a${i + 1}`)));
      it(`over listed partitions, ${limit} at a time`, async () =>
        assert.deepEqual(await pages("SELECT * FROM Music WHERE p IN ['b', 'none', 'c']", limit), ["b1", "b2", "b3", "c1"]));
    }
    it("in a scan", async () => assert.equal(new Set(await pages("SELECT * FROM Music", 4)).size, 14));
    it("in an index", async () => assert.equal(new Set(await pages("SELECT * FROM Music.ByG WHERE g = 'low'", 2)).size, 5));
    it("downward", async () => assert.deepEqual(await pages("SELECT * FROM Music WHERE p = 'b' ORDER BY s DESC", 1), ["b3", "b2", "b1"]));
    it("with values of its own", async () => assert.deepEqual(await pages("SELECT * FROM Music WHERE p = ? AND s > ?", 2, [S("a"), N(7)]), ["a8", "a9", "a10"]));
    it("having looked at as many as it may, whatever it found", async () => {
      const said = await run("SELECT * FROM Music WHERE p = 'a' AND n > 50", undefined, { Limit: 3 });
      assert.deepEqual(said.Items, []);
      assert.deepEqual(said.LastEvaluatedKey, { p: S("a"), s: N(3) });
      assert.ok(said.NextToken);
    });
    it("from no token of another statement", async () => {
      const { NextToken } = await run("SELECT * FROM Music WHERE p = 'a'", undefined, { Limit: 1 });
      for (const Statement of ["SELECT * FROM Music WHERE p = 'b'", "INSERT INTO Music VALUE {'p': 'token', 's': 1}", "DELETE FROM Music WHERE p = 'token' AND s = 1"])
        await db.invalid("ExecuteStatement", { Statement, NextToken }, "NextToken does not match request");
    });
    it("from no token with other values", async () => {
      const Statement = "SELECT * FROM Music WHERE p = ?";
      const { NextToken } = await run(Statement, [S("a")], { Limit: 1 });
      await db.invalid("ExecuteStatement", { Statement, Parameters: [S("b")], NextToken }, "NextToken does not match request");
    });
    for (const NextToken of ["x", "AAAA", "AQ==", "!!!!", "A".repeat(4000)])
      it(`from no token like ${NextToken.slice(0, 8)}`, () => db.invalid("ExecuteStatement", { Statement: "SELECT * FROM Music", NextToken }, /NextToken/));
    it("from no empty token", () => db.invalid("ExecuteStatement", { Statement: "SELECT * FROM Music", NextToken: "" }, /at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1$/));
    it("not with a limit of 0", () => db.invalid("ExecuteStatement", { Statement: "SELECT * FROM Music", Limit: 0 }, /imit' failed to satisfy constraint: Member must have value greater than or equal to 1$/));
  });

  describe("is refused:", () => {
    const paths = (verb, one, two) => `Two document paths ${verb} with each other; must remove or rewrite one of these paths; path one: ${one}, path two: ${two}`;
    const distinct = (operator, path) => `The first operand must be distinct from the remaining operands for this operator or function; operator: ${operator}, first operand: ${path}`;
    const operand = (operator, type) => `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${type}`;
    for (const [statement, sentence, ...parameters] of [
      ["SELECT", MALFORMED],
      ["SELECT *", MALFORMED],
      ["SELECT * FROM", MALFORMED],
      ["SELECT FROM Music", MALFORMED],
      ["SELECT * Music", MALFORMED],
      ["SELECT *, n FROM Music", MALFORMED],
      ["SELECT n, FROM Music", MALFORMED],
      ["SELECT * FROM Music WHERE", MALFORMED],
      ["SELECT * FROM Music WHERE p", MALFORMED],
      ["SELECT * FROM Music WHERE p =", MALFORMED],
      ["SELECT * FROM Music WHERE p == 'a'", MALFORMED],
      ["SELECT * FROM Music WHERE p = 'a' AND", MALFORMED],
      ["SELECT * FROM Music WHERE p = 'a", MALFORMED],
      ["SELECT * FROM Music WHERE (p = 'a'", MALFORMED],
      ["SELECT * FROM Music WHERE p = 'a')", MALFORMED],
      ["SELECT * FROM Music WHERE p = 'a' s = 1", MALFORMED],
      ["SELECT * FROM Music WHERE s BETWEEN 1", MALFORMED],
      ["SELECT * FROM Music WHERE s IN []", MALFORMED],
      ["SELECT * FROM Music WHERE s IN [1", MALFORMED],
      ["SELECT * FROM Music WHERE s IS 1", MALFORMED],
      ["SELECT * FROM Music WHERE s LIKE 'x'", MALFORMED],
      ["SELECT * FROM Music WHERE s NOT 1", MALFORMED],
      ["SELECT * FROM Music WHERE moon(s)", MALFORMED],
      ["SELECT * FROM Music WHERE size(l)", MALFORMED],
      ["SELECT * FROM Music WHERE l[-1] = 1", MALFORMED],
      ["SELECT * FROM Music WHERE l[] = 1", MALFORMED],
      ["SELECT * FROM Music WHERE m. = 1", MALFORMED],
      ["SELECT * FROM Music LIMIT 1", MALFORMED],
      ["SELECT * FROM Music; SELECT * FROM Music", MALFORMED],
      ["SELECT COUNT(*) FROM Music", MALFORMED],
      ["SHOW TABLES", MALFORMED],
      ["SELECT from FROM Music", MALFORMED],
      ["SELECT m.Size FROM Music", MALFORMED],
      ["SELECT * FROM Table", MALFORMED],
      ["SELECT * FROM Music.Index", MALFORMED],
      ["SELECT * FROM Music WHERE where = 1", MALFORMED],
      ["SELECT * FROM Music WHERE user = 1", MALFORMED],
      ["SELECT * FROM Music WHERE attribute_type(value, 'S')", MALFORMED],
      ["SELECT * FROM Music WHERE p = 'a' ORDER BY order", MALFORMED],
      ["  ", MALFORMED],
      ["SELECT * FROM Music.ByG.more", "A path may contain at most 2 components in the FROM clause"],
      ["SELECT * FROM \"\"", "Path component cannot be an empty string"],
      ["SELECT * FROM \"Music\".\"\"", "Path component cannot be an empty string"],
      ["SELECT \"\" FROM Music", "Path component cannot be an empty string"],
      ["SELECT * FROM Music.Nothing", "The table does not have the specified index"],
      ["SELECT * FROM Music WHERE s < true", operand("<", "BOOL")],
      ["SELECT * FROM Music WHERE s >= null", operand(">=", "NULL")],
      ["SELECT * FROM Music WHERE s > [1]", operand(">", "L")],
      ["SELECT * FROM Music WHERE s <= ?", operand("<=", "M"), M({})],
      ["SELECT * FROM Music WHERE begins_with(title, 1)", operand("begins_with", "N")],
      ["SELECT * FROM Music WHERE begins_with(true, title)", operand("begins_with", "BOOL")],
      ["SELECT * FROM Music WHERE begins_with(title, ?)", operand("begins_with", "L"), L()],
      ["SELECT * FROM Music WHERE size(5) = 1", operand("size", "N")],
      ["SELECT * FROM Music WHERE size(?) = 1", operand("size", "BOOL"), BOOL(true)],
      ["SELECT * FROM Music WHERE size(null) = 1", operand("size", "NULL")],
      ["SELECT m, m.x FROM Music", paths("overlap", "[m]", "[m, x]")],
      ["SELECT l[0], s, l FROM Music", paths("overlap", "[l, [0]]", "[l]")],
      ["SELECT m.x, m[0] FROM Music", paths("conflict", "[m, x]", "[m, [0]]")],
      [`SELECT m${".x".repeat(32)} FROM Music`, "The document path has too many nesting levels; nesting levels: 33"],
      ["SELECT * FROM Music WHERE l[99999999999] = 1", "List index is not within the allowable range; index: [99999999999]"],
      ["SELECT * FROM Music WHERE l[1.5] = 1", MALFORMED],
      ["SELECT * FROM Music WHERE n = n", distinct("=", "[n]")],
      ["SELECT * FROM Music WHERE contains(m.x, m.x)", distinct("contains", "[m, x]")],
      ["SELECT * FROM Music WHERE n NOT IN [1, n]", distinct("IN", "[n]")],
      ["SELECT * FROM Music WHERE p = 'a' AND s BETWEEN 5 AND 1", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}"],
      ["SELECT * FROM Music WHERE p = 'a' AND s NOT BETWEEN ? AND 'x'", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:x}", N(1)],
      ["SELECT * FROM Music WHERE attribute_type(l, 'LIST')", "Invalid attribute type name found; type: LIST, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"],
      ["SELECT * FROM Music WHERE p = ?", UNMATCHED],
      ["SELECT * FROM Music WHERE p = ?", UNMATCHED, S("a"), S("b")],
      ["SELECT * FROM Music WHERE p = 'a'", UNMATCHED, S("a")],
      ["SELECT * FROM Music WHERE p = ?", "The parameter cannot be converted to a numeric value: x", N("x")],
      ["SELECT * FROM Music WHERE p = ?", `${P}An string set  may not be empty`, SS()],
      ["SELECT * FROM Music WHERE n = 123456789012345678901234567890123456789", "Attempting to store more than 38 significant digits in a Number"],
      ["SELECT * FROM Music WHERE n = 1e126", /^Number overflow/],
    ])
      it(statement, () => db.invalid("ExecuteStatement", { Statement: statement, Parameters: parameters.length ? parameters : undefined }, sentence));

    it("a strong read of a global index", () =>
      db.invalid("ExecuteStatement", { Statement: "SELECT * FROM Music.ByG WHERE g = 'low'", ConsistentRead: true }, "Strongly consistent read is not supported on Global Secondary Indexes"));
    it("51 partitions", () =>
      db.invalid("ExecuteStatement", { Statement: `SELECT * FROM Music WHERE p IN [${Array.from({ length: 51 }, (_, i) => `'z${i}'`)}]` }));
    it("what a global index does not hold", () =>
      db.invalid("ExecuteStatement", { Statement: "SELECT title FROM Music.ByG WHERE g = 'low'" }, `${P}Global secondary index ByG does not project [title]`));
    it("to filter by what an index does not hold", () =>
      db.invalid("ExecuteStatement", { Statement: "SELECT * FROM Music.ByG WHERE g = 'low' AND title = 'x'" }, `${P}Secondary index ByG does not project one or more filter attributes: [title]`));
    it("a missing table", () => db.refuses("ExecuteStatement", { Statement: "SELECT * FROM Absent" }, "ResourceNotFoundException", "Requested resource not found"));
    it("no text", () => db.invalid("ExecuteStatement", { Statement: "" }, /at 'statement' failed to satisfy constraint: Member must have length greater than or equal to 1$/));
    it("a text of 8193 characters", () => db.invalid("ExecuteStatement", { Statement: `SELECT * FROM Music${" ".repeat(8174)}` }, /at 'statement' failed to satisfy constraint: Member must have length less than or equal to 8192$/));
    it("not a text of 8192 characters", async () => assert.equal((await run(`SELECT * FROM Music${" ".repeat(8173)}`)).Items.length, 14));
    it("no values in a list of them", () => db.invalid("ExecuteStatement", { Statement: "SELECT * FROM Music", Parameters: [] }, /at 'parameters' failed to satisfy constraint: Member must have length greater than or equal to 1$/));
    it("EXISTS outside a transaction", () => db.invalid("ExecuteStatement", { Statement: "EXISTS (SELECT * FROM Music WHERE p = 'a' AND s = 1)" }));
  });

  it("counts what it read, all listed partitions together", async () => {
    const consumed = async (statement, more) => (await run(statement, undefined, { ReturnConsumedCapacity: "TOTAL", ...more })).ConsumedCapacity;
    assert.deepEqual(await consumed("SELECT * FROM Music WHERE p = 'a'"), { TableName: "Music", CapacityUnits: 0.5 });
    assert.deepEqual(await consumed("SELECT * FROM Music WHERE p = 'a'", { ConsistentRead: true }), { TableName: "Music", CapacityUnits: 1 });
    assert.deepEqual(await consumed("SELECT * FROM Music WHERE p IN ['a', 'b', 'c']"), { TableName: "Music", CapacityUnits: 1.5 });
  });
});
