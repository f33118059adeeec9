// SPDX-License-Identifier: MIT
// ExecuteTransaction: all statements or none.
import assert from "node:assert/strict";
import { before, beforeEach, describe, it } from "node:test";
import { attribute, index, useServer } from "../lib/suite.js";
import { N, S } from "../lib/values.js";

const FAILED = { Code: "ConditionalCheckFailed", Message: "The conditional request failed" };
const NONE = { Code: "None" };

describe("ExecuteTransaction", () => {
  const db = useServer();
  const input = (list, more = {}) => ({ TransactStatements: list.map((one) => (typeof one === "string" ? { Statement: one } : one)), ...more });
  const run = (list, more) => db.ask("ExecuteTransaction", input(list, more));
  const invalid = (list, sentence) => db.invalid("ExecuteTransaction", input(list), sentence);
  const values = async () => Object.fromEntries((await db.ask("Scan", { TableName: "Things" })).Items.map(({ p, v }) => [p.S, Number(v?.N)]));
  const cancelled = async (list, ...reasons) => {
    const error = await db.refuses("ExecuteTransaction", input(list), "TransactionCanceledException",
      `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(", ")}]`);
    assert.deepEqual(error.CancellationReasons, reasons);
  };

  before(async () => {
    await db.makeTable("Things");
    await db.makeTable("Pairs", "N", { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [index("ByG", "g")] } });
    await db.ask("PutItem", { TableName: "Pairs", Item: { p: S("a"), s: N(1), g: S("x") } });
  });
  beforeEach(async () => {
    const there = await values();
    await db.ask("BatchWriteItem", {
      RequestItems: {
        Things: [...["a", "b"].map((p) => ({ PutRequest: { Item: { p: S(p), v: N(1) } } })),
          ...Object.keys(there).filter((p) => p !== "a" && p !== "b").slice(0, 23).map((p) => ({ DeleteRequest: { Key: { p: S(p) } } }))],
      },
    });
  });

  describe("writes", () => {
    it("with every kind of statement", async () => {
      await run(["INSERT INTO Things VALUE {'p': 'c', 'v': 3}", "UPDATE Things SET v = v + 1 WHERE p = 'a'", "DELETE FROM Things WHERE p = 'b'"]);
      assert.deepEqual(await values(), { a: 2, c: 3 });
    });
    it("with values for each", async () => {
      await run([{ Statement: "UPDATE Things SET v = ? WHERE p = ?", Parameters: [N(7), S("a")] }, { Statement: "UPDATE Things SET v = ? WHERE p = ?", Parameters: [N(8), S("b")] }]);
      assert.deepEqual(await values(), { a: 7, b: 8 });
    });
    it("over several tables", async () => {
      await run(["UPDATE Things SET v = 5 WHERE p = 'a'", "UPDATE Pairs SET v = 5 WHERE p = 'a' AND s = 1"]);
      assert.equal((await values()).a, 5);
    });
    it("when what must be is", async () => {
      await run(["EXISTS (SELECT * FROM Things WHERE p = 'a' AND v = 1)", "UPDATE Things SET v = 9 WHERE p = 'b'"]);
      assert.deepEqual(await values(), { a: 1, b: 9 });
    });
    it("conditions that see what was before", async () => {
      await run(["UPDATE Things SET v = 2 WHERE p = 'a' AND v = 1", "DELETE FROM Things WHERE p = 'b' AND v = 1"]);
      assert.deepEqual(await values(), { a: 2 });
    });
    it("100 statements", async () => {
      await run(["UPDATE Pairs SET v = 1 WHERE p = 'a' AND s = 1"].concat(Array.from({ length: 99 }, (_, i) => `DELETE FROM Things WHERE p = 'none ${i}'`)));
    });
    it("once under one token", async () => {
      const ClientRequestToken = "the same";
      for (let i = 0; i < 2; i++) await run(["UPDATE Things SET v = v + 1 WHERE p = 'a'"], { ClientRequestToken });
      assert.equal((await values()).a, 2);
    });
    it("nothing else under a token that was used", async () => {
      const ClientRequestToken = "used";
      await run(["UPDATE Things SET v = v + 1 WHERE p = 'a'"], { ClientRequestToken });
      await db.refuses("ExecuteTransaction", input(["UPDATE Things SET v = v + 2 WHERE p = 'a'"], { ClientRequestToken }), "IdempotentParameterMismatchException");
    });
  });

  describe("writes nothing", () => {
    for (const [what, list, ...reasons] of [
      ["when an item is not there", ["UPDATE Things SET v = 9 WHERE p = 'a'", "UPDATE Things SET v = 1 WHERE p = 'none'"], NONE, FAILED],
      ["when a condition fails", ["UPDATE Things SET v = 9 WHERE p = 'a' AND v = 2", "DELETE FROM Things WHERE p = 'b'"], FAILED, NONE],
      ["when two conditions fail", ["UPDATE Things SET v = 9 WHERE p = 'a' AND v = 2", "DELETE FROM Things WHERE p = 'b' AND v = 2"], FAILED, FAILED],
      ["when what must be is not", ["EXISTS (SELECT * FROM Things WHERE p = 'none')", "UPDATE Things SET v = 9 WHERE p = 'b'"], FAILED, NONE],
      ["when what must be is otherwise", ["EXISTS (SELECT * FROM Things WHERE p = 'a' AND v = 5)", "UPDATE Things SET v = 9 WHERE p = 'b'"], FAILED, NONE],
      ["when a path leads nowhere", ["UPDATE Things SET x.y = 9 WHERE p = 'a'", "DELETE FROM Things WHERE p = 'b'"],
        { Code: "ValidationError", Message: "The document path provided in the update expression is invalid for update" }, NONE],
      ["when a string is counted with", ["DELETE FROM Things WHERE p = 'b'", "UPDATE Things SET v = p + 1 WHERE p = 'a'"],
        NONE, { Code: "ValidationError", Message: "An operand in the update expression has an incorrect data type" }],
      ["when a key has another type", ["UPDATE Things SET v = 9 WHERE p = 'a'", "DELETE FROM Things WHERE p = 5"], NONE, { Code: "ValidationError", Message: "The provided key element does not match the schema" }],
    ])
      it(what, async () => {
        await cancelled(list, ...reasons);
        assert.deepEqual(await values(), { a: 1, b: 1 });
      });
    it("when an item is there already", async () => {
      await db.refuses("ExecuteTransaction", input(["UPDATE Things SET v = 9 WHERE p = 'a'", "INSERT INTO Things VALUE {'p': 'b'}"]), "TransactionCanceledException", /\[None, \w+\]$/);
      assert.deepEqual(await values(), { a: 1, b: 1 });
    });
    it("and shows the items that conditions met, when asked", async () => {
      const error = await db.refuses("ExecuteTransaction",
        input([{ Statement: "UPDATE Things SET v = 9 WHERE p = 'a' AND v = 2", ReturnValuesOnConditionCheckFailure: "ALL_OLD" }, "DELETE FROM Things WHERE p = 'b'"]), "TransactionCanceledException");
      assert.deepEqual(error.CancellationReasons[0].Item, { p: S("a"), v: N(1) });
    });
  });

  describe("reads", () => {
    it("in the order of what was asked", async () =>
      assert.deepEqual((await run(["SELECT v FROM Things WHERE p = 'b'", "SELECT * FROM Things WHERE p = 'none'", "SELECT g FROM Pairs WHERE p = 'a' AND s = 1"])).Responses, [{ Item: { v: N(1) } }, {}, { Item: { g: S("x") } }]));
    it("with values", async () =>
      assert.deepEqual((await run([{ Statement: "SELECT v FROM Things WHERE p = ?", Parameters: [S("a")] }])).Responses, [{ Item: { v: N(1) } }]));
    it("for twice the units of a strong read", async () =>
      assert.deepEqual((await run(["SELECT v FROM Things WHERE p = 'b'"], { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity, [{ TableName: "Things", CapacityUnits: 2, ReadCapacityUnits: 2 }]));
    it("no index", () => invalid(["SELECT * FROM Pairs.ByG WHERE g = 'x'"], "Validation failed in TransactStatements[0]: Reads on indices are not supported within transactions."));
    it("no index further down", () =>
      invalid(["SELECT * FROM Things WHERE p = 'a'", "SELECT * FROM Pairs.ByG WHERE g = 'x'"], "Validation failed in TransactStatements[1]: Reads on indices are not supported within transactions."));
    it("no whole table", () => invalid(["SELECT * FROM Things"]));
    it("no part of a key", () => invalid(["SELECT * FROM Pairs WHERE p = 'a'"]));
  });
  it("counts twice what it wrote", async () =>
    assert.deepEqual((await run(["UPDATE Things SET v = 5 WHERE p = 'a'"], { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity, [{ TableName: "Things", CapacityUnits: 2, WriteCapacityUnits: 2 }]));

  describe("is refused:", () => {
    for (const [what, list, sentence] of [
      ["reads and writes together", ["SELECT * FROM Things WHERE p = 'a'", "DELETE FROM Things WHERE p = 'b'"]],
      ["one item twice", ["UPDATE Things SET v = 2 WHERE p = 'a'", "DELETE FROM Things WHERE p = 'a'"], "Transaction request cannot include multiple operations on one item"],
      ["one item checked and written", ["EXISTS (SELECT * FROM Things WHERE p = 'a')", "DELETE FROM Things WHERE p = 'a'"], "Transaction request cannot include multiple operations on one item"],
      ["one item read twice", ["SELECT * FROM Things WHERE p = 'a'", "SELECT v FROM Things WHERE p = 'a'"], "Transaction request cannot include multiple operations on one item"],
      ["RETURNING", ["UPDATE Things SET v = 2 WHERE p = 'a' RETURNING ALL OLD *"], "Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction."],
      ["RETURNING of a later one", ["UPDATE Things SET v = 2 WHERE p = 'a'", "DELETE FROM Things WHERE p = 'b' RETURNING ALL OLD *"], "Validation failed in TransactStatements[1]: RETURNING clause is not supported in ExecuteTransaction."],
      ["what is no statement", ["DELETE FROM Things WHERE p = 'b'", "NONSENSE"], /Statement wasn't well formed, can't be processed: /],
      ["a write without its key", ["DELETE FROM Things WHERE v = 1"], /Where clause does not contain a mandatory equality on all key attributes$/],
      ["EXISTS in an index", ["DELETE FROM Things WHERE p = 'b'", "EXISTS (SELECT * FROM Pairs.ByG WHERE p = 'a' AND s = 1)"], "Validation failed in TransactStatements[1]: Reads on indices are not supported within transactions."],
      ["a read sorted by what is no key", ["SELECT * FROM Things WHERE p = 'a' ORDER BY v"], /Variable reference v in ORDER BY clause must be part of the primary key$/],
      ["EXISTS sorted by what is no key", ["EXISTS (SELECT * FROM Things WHERE p = 'a' ORDER BY v)"], /Variable reference v in ORDER BY clause must be part of the primary key$/],
      ["EXISTS without its key", ["EXISTS (SELECT * FROM Things)"]],
      ["EXISTS of nothing", ["EXISTS (1)"], /Statement wasn't well formed, can't be processed: /],
      ["no statements", [], /at 'transactStatements' failed to satisfy constraint: Member must have length greater than or equal to 1$/],
      ["101 statements", Array.from({ length: 101 }, (_, i) => `DELETE FROM Things WHERE p = '${i}'`), /at 'transactStatements' failed to satisfy constraint: Member must have length less than or equal to 100$/],
      ["an empty statement", ["DELETE FROM Things WHERE p = 'b'", ""], /at 'transactStatements\.2\.member\.statement' failed to satisfy constraint: Member must have length greater than or equal to 1$/],
    ])
      it(what, async () => {
        await invalid(list, sentence);
        assert.deepEqual(await values(), { a: 1, b: 1 });
      });
    it("a missing table", () => db.refuses("ExecuteTransaction", input(["DELETE FROM Absent WHERE p = 'a'"]), "ResourceNotFoundException", "Requested resource not found"));
    it("a token of 37 characters", () => db.invalid("ExecuteTransaction", input(["DELETE FROM Things WHERE p = 'b'"], { ClientRequestToken: "x".repeat(37) }), /at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36$/));
  });
});
