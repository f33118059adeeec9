// SPDX-License-Identifier: MIT
// What the filter of a query on an index may speak of.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { attribute, index, KEYS_ONLY, P, useServer } from "../lib/suite.js";
import { N, S } from "../lib/values.js";

const missing = (name, attributes) => `${P}Secondary index ${name} does not project one or more filter attributes: [${attributes}]`;

describe("a query's filter on an index", () => {
  const db = useServer();
  before(async () => {
    await db.makeTable("Things", "N", {
      attributes: [attribute("g"), attribute("h", "N")],
      input: {
        GlobalSecondaryIndexes: [index("Keys", "g", "h", KEYS_ONLY), index("Some", "g", "h", { ProjectionType: "INCLUDE", NonKeyAttributes: ["v"] }), index("All", "g", "h")],
        LocalSecondaryIndexes: [index("Local", "p", "h", KEYS_ONLY)],
      },
    });
    await db.ask("PutItem", { TableName: "Things", Item: { p: S("a"), s: N(1), g: S("x"), h: N(1), v: N(1), w: N(1) } });
  });
  const query = (IndexName, FilterExpression, more = {}) => ({
    TableName: "Things", IndexName, FilterExpression,
    KeyConditionExpression: IndexName === "Local" ? "p = :k" : "g = :k",
    ExpressionAttributeValues: { ":k": S(IndexName === "Local" ? "a" : "x"), ":n": N(1) },
    ...more,
  });

  for (const [name, filter] of [["All", "w = :n"], ["All", "v = :n AND w = :n"], ["Some", "v = :n"], ["Some", "s = :n"], ["Keys", "s = :n"]])
    it(`of ${name} may be ${filter}`, async () => assert.equal((await db.ask("Query", query(name, filter))).Count, 1));
  for (const [name, filter, attributes] of [
    ["Keys", "v = :n", "v"], ["Keys", "v.x = :n", "v"], ["Keys", "w = :n AND v = :n", "w, v"], ["Keys", "v = :n OR v > :n", "v"], ["Keys", "attribute_exists(w) AND s = :n", "w"],
    ["Some", "v = :n AND w = :n", "w"], ["Local", "v = :n", "v"], ["Local", "g = :n", "g"],
  ])
    it(`of ${name} may not be ${filter}`, () => db.invalid("Query", query(name, filter, filter.includes(":n") ? {} : { ExpressionAttributeValues: { ":k": S("x") } }), missing(name, attributes)));
  it("may not be of the old kind either", () =>
    db.invalid("Query", {
      TableName: "Things", IndexName: "Keys",
      KeyConditions: { g: { ComparisonOperator: "EQ", AttributeValueList: [S("x")] } },
      QueryFilter: { v: { ComparisonOperator: "EQ", AttributeValueList: [N(1)] } },
    }, missing("Keys", "v")));
});
