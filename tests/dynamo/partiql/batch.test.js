// SPDX-License-Identifier: MIT
// BatchExecuteStatement: each statement has its answer, and its failure, for itself.
import assert from "node:assert/strict";
import { before, beforeEach, describe, it } from "node:test";
import { attribute, index, useServer } from "../lib/suite.js";
import { N, S } from "../lib/values.js";

describe("BatchExecuteStatement", () => {
  const db = useServer();
  const statements = (list, more = {}) => ({ Statements: list.map((one) => (typeof one === "string" ? { Statement: one } : one)), ...more });
  const run = (list, more) => db.ask("BatchExecuteStatement", statements(list, more));
  const responses = async (list, more) => (await run(list, more)).Responses;
  const read = (p) => `SELECT * FROM Things WHERE p = '${p}'`;

  before(async () => {
    await db.makeTable("Things");
    await db.makeTable("Pairs", "N", { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [index("ByG", "g")] } });
  });
  beforeEach(() =>
    db.ask("BatchWriteItem", {
      RequestItems: {
        Things: ["a", "b"].map((p) => ({ PutRequest: { Item: { p: S(p), v: N(1) } } })),
        Pairs: [1, 2].map((s) => ({ PutRequest: { Item: { p: S("a"), s: N(s), g: S("x") } } })),
      },
    }));

  it("answers in the order of what was asked", async () =>
    assert.deepEqual(await responses([read("b"), "SELECT s FROM Pairs WHERE p = 'a' AND s = 2", read("a")]), [
      { TableName: "Things", Item: { p: S("b"), v: N(1) } }, { TableName: "Pairs", Item: { s: N(2) } }, { TableName: "Things", Item: { p: S("a"), v: N(1) } },
    ]));
  it("has no item where nothing is", async () => assert.deepEqual(await responses([read("none")]), [{ TableName: "Things" }]));
  it("has no item where a condition does not hold", async () => assert.deepEqual(await responses([`${read("a")} AND v = 2`]), [{ TableName: "Things" }]));
  it("has the item where a condition holds", async () => assert.deepEqual((await responses([`${read("a")} AND v = 1`]))[0].Item, { p: S("a"), v: N(1) }));
  it("takes values for each", async () =>
    assert.deepEqual((await responses([{ Statement: "SELECT v FROM Things WHERE p = ?", Parameters: [S("a")] }, { Statement: "SELECT v FROM Things WHERE p = ?", Parameters: [S("x")] }])), [
      { TableName: "Things", Item: { v: N(1) } }, { TableName: "Things" },
    ]));
  it("reads one item twice", async () => assert.equal((await responses([read("a"), read("a")])).filter((one) => one.Item).length, 2));
  it("reads strongly", async () => assert.deepEqual((await responses([{ Statement: read("a"), ConsistentRead: true }]))[0].Item, { p: S("a"), v: N(1) }));

  it("writes", async () => {
    assert.deepEqual(await responses(["INSERT INTO Things VALUE {'p': 'new', 'v': 5}", "UPDATE Things SET v = 2 WHERE p = 'a'", "DELETE FROM Things WHERE p = 'b'"]),
      Array.from({ length: 3 }, () => ({ TableName: "Things" })));
    assert.deepEqual((await responses(["new", "a", "b"].map(read))).map(({ Item }) => Item?.v.N), ["5", "2", undefined]);
    await run(["DELETE FROM Things WHERE p = 'new'"]);
  });
  it("gives what RETURNING asks for", async () =>
    assert.deepEqual(await responses(["UPDATE Things SET v = 2 WHERE p = 'a' RETURNING ALL NEW *", "DELETE FROM Things WHERE p = 'b' RETURNING ALL OLD *"]), [
      { TableName: "Things", Item: { p: S("a"), v: N(2) } }, { TableName: "Things", Item: { p: S("b"), v: N(1) } },
    ]));
  it("does the rest when one fails", async () => {
    const said = await responses(["UPDATE Things SET v = 2 WHERE p = 'a'", "UPDATE Things SET v = 2 WHERE p = 'none'", "UPDATE Things SET v = 2 WHERE p = 'b'"]);
    assert.deepEqual(said.map(({ Error }) => Error?.Code), [undefined, "ConditionalCheckFailed", undefined]);
    assert.deepEqual((await responses(["a", "b"].map(read))).map(({ Item }) => Item.v.N), ["2", "2"]);
  });

  describe("answers for one", () => {
    for (const [what, statement, Code, Message] of [
      ["that updates nothing", "UPDATE Things SET v = 2 WHERE p = 'none'", "ConditionalCheckFailed", "The conditional request failed"],
      ["whose condition fails", "UPDATE Things SET v = 2 WHERE p = 'a' AND v = 7", "ConditionalCheckFailed", "The conditional request failed"],
      ["whose delete is kept", "DELETE FROM Things WHERE p = 'a' AND v = 7", "ConditionalCheckFailed", "The conditional request failed"],
      ["that inserts what is there", "INSERT INTO Things VALUE {'p': 'a'}", "DuplicateItem", "Duplicate primary key exists in table"],
      ["of a missing table", "DELETE FROM Absent WHERE p = 'a'", "ResourceNotFound", "Requested resource not found"],
      ["that is no statement", "DROP TABLE Things", "ValidationError", /^Statement wasn't well formed, can't be processed: /],
      ["without its key", "DELETE FROM Things WHERE v = 1", "ValidationError", "Where clause does not contain a mandatory equality on all key attributes"],
      ["that writes its key", "UPDATE Things SET p = 'x' WHERE p = 'a'", "ValidationError", /^One or more parameter values were invalid: Cannot update attribute p/],
      ["with a key of another type", "DELETE FROM Things WHERE p = 1", "ValidationError", "The provided key element does not match the schema"],
      ["with a key that is missing", "INSERT INTO Things VALUE {'v': 1}", "ValidationError", "One or more parameter values were invalid: Missing the key p in the item"],
      ["that counts with nothing", "UPDATE Things SET v = none + 1 WHERE p = 'a'", "ValidationError", "The provided expression refers to an attribute that does not exist in the item"],
      ["with values too few", "DELETE FROM Things WHERE p = ?", "ValidationError", "Number of parameters in request and statement don't match."],
      ["that returns what it cannot", "DELETE FROM Things WHERE p = 'a' RETURNING ALL NEW *", "ValidationError", /^Invalid returning clause: RETURNING ALL NEW \*\./],
    ])
      it(what, async () => {
        const [one, other] = await responses([statement, "UPDATE Things SET v = 1 WHERE p = 'b'"]);
        assert.equal(one.Error.Code, Code);
        if (typeof Message === "string") assert.equal(one.Error.Message, Message);
        else assert.match(one.Error.Message, Message);
        assert.equal(one.Item, undefined);
        assert.equal(other.Error, undefined);
      });
    for (const [what, statement] of [
      ["that reads without a key", "SELECT * FROM Things"],
      ["that reads half a key", "SELECT * FROM Pairs WHERE p = 'a'"],
      ["that reads a range", "SELECT * FROM Pairs WHERE p = 'a' AND s > 0"],
      ["that reads a list of keys", "SELECT * FROM Things WHERE p IN ['a', 'b']"],
    ])
      it(what, async () => {
        const [one, other] = await responses([statement, read("a")]);
        assert.equal(one.Error.Code, "ValidationError");
        assert.equal(one.Error.Message, "Select statements within BatchExecuteStatement must specify the primary key in the where clause.");
        assert.ok(other.Item);
      });
    it("that sorts by what is no key", async () => {
      const [one, other] = await responses([`${read("a")} ORDER BY v`, `${read("a")} ORDER BY p DESC`]);
      assert.deepEqual(one.Error, { Code: "ValidationError", Message: "Variable reference v in ORDER BY clause must be part of the primary key" });
      assert.ok(other.Item);
    });
    it("that reads an index", async () => assert.equal((await responses(["SELECT * FROM Pairs.ByG WHERE g = 'x'"]))[0].Error.Code, "ValidationError"));
    it("with the item that a condition met, when asked", async () => {
      const [{ Error }] = await responses([{ Statement: "UPDATE Things SET v = 2 WHERE p = 'a' AND v = 7", ReturnValuesOnConditionCheckFailure: "ALL_OLD" }]);
      assert.deepEqual(Error.Item, { p: S("a"), v: N(1) });
    });
  });

  describe("is refused:", () => {
    for (const [what, input, sentence] of [
      ["reads and writes together", statements([read("a"), "DELETE FROM Things WHERE p = 'b'"]), undefined],
      ["reads and writes together, of a missing table too", statements(["SELECT * FROM Absent WHERE p = 'a'", "DELETE FROM Things WHERE p = 'b'"]), undefined],
      ["no statements", statements([]), /at 'statements' failed to satisfy constraint: Member must have length greater than or equal to 1$/],
      ["26 statements", statements(Array.from({ length: 26 }, () => read("a"))), /at 'statements' failed to satisfy constraint: Member must have length less than or equal to 25$/],
      ["an empty statement", statements([""]), /at 'statements\.1\.member\.statement' failed to satisfy constraint: Member must have length greater than or equal to 1$/],
      ["a statement too long", statements(["x", "x".repeat(8193)]), /at 'statements\.2\.member\.statement' failed to satisfy constraint: Member must have length less than or equal to 8192$/],
    ])
      it(what, () => db.invalid("BatchExecuteStatement", input, sentence));
    it("writing nothing", async () => {
      await db.invalid("BatchExecuteStatement", statements([read("a"), "DELETE FROM Things WHERE p = 'b'"]));
      assert.ok((await responses([read("b")]))[0].Item);
    });
  });

  it("takes 25 statements", async () => assert.equal((await responses(Array.from({ length: 25 }, () => read("a")))).length, 25));
  it("counts what was read, by table", async () =>
    assert.deepEqual((await run([read("a"), read("none"), "SELECT * FROM Pairs WHERE p='a' AND s=1"], { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity,
      [{ TableName: "Things", CapacityUnits: 1 }, { TableName: "Pairs", CapacityUnits: 0.5 }]));
  it("counts what was written", async () =>
    assert.deepEqual((await run(["UPDATE Things SET v = 1 WHERE p = 'a'", "DELETE FROM Things WHERE p = 'never'"], { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity,
      [{ TableName: "Things", CapacityUnits: 2 }]));
});
