// SPDX-License-Identifier: MIT
// A table may be named by its ARN: by that, and by nothing that only looks like it.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ACCOUNT, arn, useServer } from "../lib/suite.js";
import { S } from "../lib/values.js";

describe("a table's ARN", () => {
  const db = useServer();
  before(() => db.makeTable("Things"));
  const CALLS = [
    ["DescribeTable", (TableName) => ({ TableName })],
    ["UpdateTimeToLive", (TableName) => ({ TableName, TimeToLiveSpecification: { Enabled: false, AttributeName: "t" } })],
    ["GetItem", (TableName) => ({ TableName, Key: { p: S("a") } })],
    ["BatchGetItem", (TableName) => ({ RequestItems: { [TableName]: { Keys: [{ p: S("a") }] } } })],
    ["TransactGetItems", (TableName) => ({ TransactItems: [{ Get: { TableName, Key: { p: S("a") } } }] })],
  ];
  for (const wrong of [
    "arn:", "arn:foo:table/Things", `arn:foo:dynamodb:us-east-1:${ACCOUNT}:table/Things`, `arn:aws:s3:us-east-1:${ACCOUNT}:table/Things`, `arn:aws:dynamodb::${ACCOUNT}:table/Things`,
    `arn:aws:dynamodb:us-east-1:${ACCOUNT}:backup/Things`, `arn:aws:dynamodb:us-east-1:${ACCOUNT}:x:table/Things`, arn("ab"), `${arn("Things")}/index/Any`, `${arn("Things")}:x`,
  ])
    for (const [call, input] of CALLS)
      it(`is not ${wrong}, for ${call}`, () => db.invalid(call, input(wrong), `Invalid TableArn: Invalid ResourceArn provided as input ${wrong}`));
  for (const [call, input] of CALLS)
    it(`is not that of somebody else, for ${call}`, () => {
      const theirs = "arn:aws:dynamodb:us-east-1:111111111111:table/Things";
      return db.refuses(call, input(theirs), "AccessDeniedException", "Access is denied");
    });
  it("is told back where it was given", async () => {
    const { ConsumedCapacity } = await db.ask("GetItem", { TableName: arn("Things"), Key: { p: S("a") }, ReturnConsumedCapacity: "TOTAL" });
    assert.equal(ConsumedCapacity.TableName, arn("Things"));
  });
});

describe("--account", () => {
  const db = useServer("--account", "123456789012");
  const THINGS = "arn:aws:dynamodb:eu-west-1:123456789012:table/Things";
  before(() => db.makeTable("Things"));
  it("stands in ARNs", async () => {
    assert.equal((await db.ask("DescribeTable", { TableName: "Things" })).Table.TableArn, "arn:aws:dynamodb:us-east-1:123456789012:table/Things");
  });
  it("is whose ARNs are taken", async () => {
    await db.ask("PutItem", { TableName: THINGS, Item: { p: S("a") } });
    await db.ask("TagResource", { ResourceArn: THINGS, Tags: [{ Key: "k", Value: "v" }] });
    await db.refuses("GetItem", { TableName: arn("Things"), Key: { p: S("a") } }, "AccessDeniedException", "Access is denied");
  });
});
