// SPDX-License-Identifier: MIT
// Which members a description has, and the order of what is printed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HASH, RANGE, attribute, index, useServer } from "../lib/suite.js";

describe("a table is told", () => {
  const db = useServer();
  const input = (TableName, more) => ({
    TableName, BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: ["l", "g", "s", "p"].map((name) => attribute(name)), KeySchema: [HASH("p"), RANGE("s")],
    GlobalSecondaryIndexes: [index("ByG", "g")], LocalSecondaryIndexes: [index("ByL", "p", "l")], ...more,
  });
  it("when it is deleted, without what it was like", async () => {
    await db.ask("CreateTable", input("Going"));
    const { json } = await db.post("DeleteTable", { TableName: "Going" });
    const { BillingModeSummary, ...told } = json.TableDescription;
    assert.deepEqual(Object.keys(told).sort(), ["DeletionProtectionEnabled", "ItemCount", "ProvisionedThroughput", "TableArn", "TableId", "TableName", "TableSizeBytes", "TableStatus"]);
    assert.equal(told.TableStatus, "DELETING");
  });
  it("the views that a stream has", async () => {
    const { json } = await db.post("CreateTable", input("Refused", { StreamSpecification: { StreamEnabled: true, StreamViewType: "" } }));
    assert.equal(json.message,
      "1 validation error detected: Value '' at 'streamSpecification.streamViewType' failed to satisfy constraint: Member must satisfy enum value set: [OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]");
  });
  it("units that are far too many, all of them", async () => {
    const body = JSON.stringify(input("Refused", { BillingMode: "PROVISIONED", ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 1 } })).replace(":0,", ":9223372036854775807,");
    assert.equal((await db.post("CreateTable", body)).json.message, "Given value 9223372036854775807 for ReadCapacityUnits is out of bounds");
  });
  it("what is wrong in whole characters, however long it is", async () => {
    for (const shift of ["", "x"]) {
      const Tags = [{ Key: "k", Value: `${shift}${"é".repeat(2000)}` }];
      const response = await fetch(db.endpoint, {
        method: "POST",
        headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.CreateTable", "x-amz-date": "20260101T000000Z",
          authorization: "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0" },
        body: JSON.stringify(input("Refused", { Tags })),
      });
      const said = new TextDecoder("utf-8", { fatal: true }).decode(await response.arrayBuffer());
      assert.match(JSON.parse(said).message, /^The Tag Value provided is invalid, Value: x?é+$/);
    }
  });
});
