// SPDX-License-Identifier: MIT
// SSESpecification: kept and given back, and judged as if it did something.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { HASH, P, attribute, useServer } from "../lib/suite.js";

const KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555";

describe("encryption", () => {
  const db = useServer();
  const table = (TableName, SSESpecification) => ({ TableName, BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [attribute("p")], KeySchema: [HASH("p")], SSESpecification });
  const update = (TableName, SSESpecification) => ({ TableName, SSESpecification });
  before(async () => {
    await db.makeTable("Plain");
    await db.ask("CreateTable", table("Secret", { Enabled: true, SSEType: "KMS", KMSMasterKeyId: KEY }));
  });
  const EMPTY = "1 validation error detected: Value '' at 'sSESpecification.kMSMasterKeyId' failed to satisfy constraint: Member must have length greater than or equal to 1";

  for (const [what, specification, sentence] of [
    ["a key where it is off", { Enabled: false, KMSMasterKeyId: KEY }, `${P}KMSMasterKeyId can not be specified if Enabled is false`],
    ["a key where nobody says that it is on", { KMSMasterKeyId: KEY }, `${P}KMSMasterKeyId can not be specified if Enabled is false`],
    ["a kind and a key where it is off", { Enabled: false, SSEType: "KMS", KMSMasterKeyId: KEY }, `${P}SSEType can not be specified if Enabled is false`],
    ["a key without a name", { Enabled: true, SSEType: "KMS", KMSMasterKeyId: "" }, EMPTY],
  ]) {
    it(`of a new table is not ${what}`, () => db.invalid("CreateTable", table("Refused", specification), sentence));
    it(`of a table that is there is not ${what}`, () => db.invalid("UpdateTable", update("Secret", specification), sentence));
  }
  for (const specification of [{}, { Enabled: false }])
    it(`is not taken away where there is none, by ${JSON.stringify(specification)}`, () => db.invalid("UpdateTable", update("Plain", specification), `${P}Table is already encrypted by default`));
  it("is not changed to the key that it has", () =>
    db.invalid("UpdateTable", update("Secret", { Enabled: true, SSEType: "KMS", KMSMasterKeyId: KEY }),
      `${P}Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key`));
  it("comes, stays and goes", async () => {
    const described = async () => (await db.ask("DescribeTable", { TableName: "Plain" })).Table.SSEDescription;
    await db.ask("UpdateTable", update("Plain", { Enabled: true }));
    await db.ask("UpdateTable", update("Plain", { Enabled: true, SSEType: "KMS" }));
    assert.equal((await described()).Status, "ENABLED");
    await db.ask("UpdateTable", update("Plain", { Enabled: false }));
    assert.equal(await described(), undefined);
  });
});
