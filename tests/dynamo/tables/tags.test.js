// SPDX-License-Identifier: MIT
// What a tag may be: the service's own words for it, where other members are judged by the generic validator.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { HASH, arn, attribute, useServer } from "../lib/suite.js";

describe("tags", () => {
  const db = useServer();
  before(() => db.makeTable("Tagged"));
  const ResourceArn = arn("Tagged");
  const told = async (call, input, sentence) => {
    const { status, json } = await db.post(call, input);
    assert.deepEqual([status, json], [400, { __type: "com.amazon.coral.validate#ValidationException", message: sentence }]);
  };
  const long = (n) => "k".repeat(n);

  const REFUSED = [
    ["without a key and a value", {}, "The Tag Key provided is invalid, Key: null"],
    ["without a key", { Value: "v" }, "The Tag Key provided is invalid, Key: null"],
    ["without a value", { Key: "k" }, "The Tag Value provided is invalid, Value: null"],
    ["with an empty key", { Key: "", Value: "v" }, "The Tag Key provided is invalid, Key: "],
    ["with a key of 129 characters", { Key: long(129), Value: "" }, `The Tag Key provided is invalid, Key: ${long(129)}`],
    ["with a value of 257 characters", { Key: "k", Value: long(257) }, `The Tag Value provided is invalid, Value: ${long(257)}`],
    ["with a sign that none may have", { Key: "k", Value: "100%" }, "The Tag Value provided is invalid, Value: 100%"],
  ];
  for (const [what, tag, sentence] of REFUSED) {
    it(`${what} are not put`, () => told("TagResource", { ResourceArn, Tags: [{ Key: "good", Value: "" }, tag] }, sentence));
    it(`${what} make no table`, () =>
      told("CreateTable", { TableName: "Refused", BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [attribute("p")], KeySchema: [HASH("p")], Tags: [tag] }, sentence));
  }
  for (const [what, key] of [["an empty key", ""], ["a key of 129 characters", long(129)], ["a key that none may have", "a;b"]])
    it(`with ${what} are not taken away`, () => told("UntagResource", { ResourceArn, TagKeys: ["good", key] }, `The Tag Key provided is invalid, Key: ${key}`));
  it("are taken away 50 at a time", async () => {
    const keys = (n) => Array.from({ length: n }, (_, i) => `k${i}`);
    await told("UntagResource", { ResourceArn, TagKeys: keys(51) }, "Number of Tags exceed the current limit for the provided ResourceArn");
    assert.equal((await db.post("UntagResource", { ResourceArn, TagKeys: keys(50) })).status, 200);
  });
  it("may be as long as they may, counted in characters", async () => {
    await db.ask("TagResource", { ResourceArn, Tags: [{ Key: "ß".repeat(128), Value: "語".repeat(256) }] });
    assert.deepEqual((await db.ask("ListTagsOfResource", { ResourceArn })).Tags, [{ Key: "ß".repeat(128), Value: "語".repeat(256) }]);
  });
});
