// SPDX-License-Identifier: MIT
// What CreateTable and UpdateTable take, refuse, and say of a table afterwards.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ALL, HASH, KEYS_ONLY, P, RANGE, arn, attribute, index, useServer } from "../lib/suite.js";
import { N, S } from "../lib/values.js";

const ON_DEMAND = { BillingMode: "PAY_PER_REQUEST" };
const units = (ReadCapacityUnits, WriteCapacityUnits) => ({ ReadCapacityUnits, WriteCapacityUnits });
const attributes = (...names) => names.map((name) => attribute(name));

describe("CreateTable", () => {
  const db = useServer();
  const HASH_ONLY = { AttributeDefinitions: attributes("p"), KeySchema: [HASH("p")], ...ON_DEMAND };
  const PAIR = { AttributeDefinitions: attributes("p", "s"), KeySchema: [HASH("p"), RANGE("s")], ...ON_DEMAND };
  const create = async (TableName, more) => (await db.ask("CreateTable", { TableName, ...more })).TableDescription;
  const fails = (more, sentence) => db.invalid("CreateTable", { TableName: "Refused", ...HASH_ONLY, ...more }, sentence);
  const global = (...indexes) => ({ GlobalSecondaryIndexes: indexes });
  const local = (...indexes) => ({ LocalSecondaryIndexes: indexes });

  describe("refuses of keys", () => {
    for (const [what, more, sentence] of [
      ["a sort key first", { AttributeDefinitions: attributes("p", "s"), KeySchema: [RANGE("s"), HASH("p")] }, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"],
      ["a sort key alone", { KeySchema: [RANGE("p")] }, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"],
      ["two partition keys", { AttributeDefinitions: attributes("p", "s"), KeySchema: [HASH("p"), HASH("s")] }, "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"],
      ["three keys", { AttributeDefinitions: attributes("p", "s", "t"), KeySchema: [HASH("p"), RANGE("s"), RANGE("t")] }, /at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2$/],
      ["one attribute for both", { AttributeDefinitions: attributes("p", "s"), KeySchema: [HASH("p"), RANGE("p")] }, "Both the Hash Key and the Range Key element in the KeySchema have the same name"],
      ["no definitions", { AttributeDefinitions: [] }, "Invalid KeySchema: Some index key attribute have no definition"],
      ["a definition of another", { AttributeDefinitions: attributes("x") }, `${P}Some index key attributes are not defined in AttributeDefinitions. Keys: [p], AttributeDefinitions: [x]`],
      ["a definition twice", { AttributeDefinitions: attributes("p", "p") }, "Attribute Name is duplicated: p"],
      ["a key of 256 bytes", { AttributeDefinitions: attributes("x".repeat(256)), KeySchema: [HASH("x".repeat(256))] }, /failed to satisfy constraint: Member must have length less than or equal to 255/],
      ["a key without a name", { AttributeDefinitions: attributes(""), KeySchema: [HASH("")] }, /failed to satisfy constraint: Member must have length greater than or equal to 1/],
      ["a key that is a set", { AttributeDefinitions: [attribute("p", "SS")] }, /failed to satisfy constraint: Member must satisfy enum value set: \[B, N, S\]$/],
    ])
      it(what, () => fails(more, sentence));
  });

  describe("refuses of throughput", () => {
    for (const [what, more, sentence] of [
      ["none where it is provisioned", { BillingMode: "PROVISIONED" }, `${P}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED`],
      ["any where it is on demand", { ProvisionedThroughput: units(1, 1) }, `${P}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST`],
      ["no writes at all", { BillingMode: "PROVISIONED", ProvisionedThroughput: units(1, 0) }, /at 'provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1$/],
      ["more than there is", { BillingMode: "PROVISIONED", ProvisionedThroughput: units(1_000_000_000_001, 1) }, "Given value 1000000000001 for ReadCapacityUnits is out of bounds"],
      ["a way to pay that is none", { BillingMode: "FREE" }, "1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"],
      ["a limit on demand where it is provisioned", { BillingMode: "PROVISIONED", ProvisionedThroughput: units(1, 1), OnDemandThroughput: { MaxReadRequestUnits: 5 } }, `${P}MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED`],
      ["a limit of nothing", { OnDemandThroughput: { MaxReadRequestUnits: 0 } }, `${P}Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range`],
    ])
      it(what, () => fails(more, sentence));
  });

  describe("refuses of indexes", () => {
    const G = { AttributeDefinitions: attributes("p", "g") };
    for (const [what, more, sentence] of [
      ["an attribute that no key uses", { AttributeDefinitions: attributes("p", "g", "x"), ...global(index("ByG", "g")) }, /^One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: \[[pgx, ]+\], keys used: \[[pg, ]+\]$/],
      ["a key without a definition", global(index("ByG", "g")), /^One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: \[[pg, ]+\], AttributeDefinitions: \[p\]$/],
      ["an attribute that no key uses, before what is wrong with the index", { AttributeDefinitions: attributes("p", "g", "x"), ...global({ IndexName: "ByG", KeySchema: [HASH("g")], Projection: {}, ProvisionedThroughput: units(1, 1) }) }, `${P}Some AttributeDefinitions are not used. AttributeDefinitions: [p, g, x], keys used: [p, g]`],
      ["no projection", { ...G, ...global({ IndexName: "ByG", KeySchema: [HASH("g")], Projection: {} }) }, `${P}Unknown ProjectionType: null`],
      ["a kind of projection that is none", { ...G, ...global(index("ByG", "g", undefined, { ProjectionType: "MOST" })) }, /Member must satisfy enum value set: \[ALL, INCLUDE, KEYS_ONLY\]$/],
      ["names where all are projected", { ...G, ...global(index("ByG", "g", undefined, { ProjectionType: "ALL", NonKeyAttributes: ["a"] })) }, `${P}ProjectionType is ALL, but NonKeyAttributes is specified`],
      ["names where keys are projected", { ...G, ...global(index("ByG", "g", undefined, { ProjectionType: "KEYS_ONLY", NonKeyAttributes: ["a"] })) }, `${P}ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified`],
      ["no names where some are projected", { ...G, ...global(index("ByG", "g", undefined, { ProjectionType: "INCLUDE" })) }, `${P}ProjectionType is INCLUDE, but NonKeyAttributes is not specified`],
      ["a name twice", { ...G, ...global(index("ByG", "g", undefined, { ProjectionType: "INCLUDE", NonKeyAttributes: ["a", "a"] })) }, `${P}Duplicate element in NonKeyAttributes: a`],
      ["an index without throughput where the table has it", { ...G, BillingMode: "PROVISIONED", ProvisionedThroughput: units(1, 1), ...global(index("ByG", "g")) }, `${P}ProvisionedThroughput is not specified for index: ByG`],
      ["an index with throughput where the table has none", { ...G, ...global({ ...index("ByG", "g"), ProvisionedThroughput: units(1, 1) }) }, `${P}ProvisionedThroughput should not be specified for index: ByG when BillingMode is PAY_PER_REQUEST`],
      ["a name of two characters", { ...G, ...global(index("ab", "g")) }, /at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3$/],
      ["a name with a blank", { ...G, ...global(index("a b c", "g")) }, /at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must satisfy regular expression pattern: \[a-zA-Z0-9_.-\]\+$/],
      ["a local one of a table without a sort key", { AttributeDefinitions: attributes("p", "l"), ...local(index("ByL", "p", "l")) }, `${P}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex`],
      ["a local one without a sort key", { ...PAIR, ...local(index("ByL", "p")) }, `${P}Index KeySchema does not have a range key for index: ByL`],
      ["a local one of another partition", { ...PAIR, AttributeDefinitions: attributes("p", "s", "l"), ...local(index("ByL", "s", "l")) }, `${P}Index KeySchema does not have the same leading hash key as table KeySchema for index: ByL. index hash key: s, table hash key: p`],
      ["one name for a local and a global one", { ...PAIR, AttributeDefinitions: attributes("p", "s", "l"), ...local(index("Same", "p", "l")), ...global(index("Same", "l")) }, `${P}Duplicate index name: Same`],
      ["a global one with a sort key before its partition key", { ...G, ...global({ ...index("ByG", "g"), KeySchema: [RANGE("p"), HASH("g")] }) }, /HASH/],
      ["five sort keys", { AttributeDefinitions: attributes("p", "g", "a", "b", "c", "d", "e"), ...global(index("ByG", "g", ["a", "b", "c", "d", "e"])) }, `${P}The KeySchema exceeds the maximum allowed number of RANGE key attributes`],
      ["one attribute twice in a key of several", { AttributeDefinitions: attributes("p", "g", "h"), ...global(index("ByG", ["g", "h"], ["g"])) }, /The KeySchema contains multiple key attributes with the same name/],
      ["partition keys after sort keys", { AttributeDefinitions: attributes("p", "g", "h", "i"), ...global({ ...index("ByG", "g"), KeySchema: [HASH("g"), RANGE("h"), HASH("i")] }) }, `${P}All HASH key attributes must precede RANGE key attributes in the KeySchema`],
    ])
      it(what, () => fails(more, sentence));
  });

  describe("refuses of the rest", () => {
    for (const [what, more, sentence] of [
      ["a view of a stream that is off", { StreamSpecification: { StreamEnabled: false, StreamViewType: "NEW_IMAGE" } }, `${P}Table is being created with a stream disabled, UpdateViewType should not be specified`],
      ["a view that is none", { StreamSpecification: { StreamEnabled: true, StreamViewType: "HALF" } }, /at 'streamSpecification.streamViewType' failed to satisfy constraint: Member must satisfy enum value set: \[/],
      ["a kind of encryption that is off", { SSESpecification: { Enabled: false, SSEType: "KMS" } }, `${P}SSEType can not be specified if Enabled is false`],
      ["AES256", { SSESpecification: { Enabled: true, SSEType: "AES256" } }, `${P}SSEType AES256 is not supported`],
      ["a key without its kind", { SSESpecification: { Enabled: true, KMSMasterKeyId: "k" } }, `${P}SSEType KMS is required if KMSMasterKeyId is specified`],
      ["tags of AWS", { Tags: [{ Key: "aws:x", Value: "" }] }, "Tag Key cannot be prefixed with aws:, Key: aws:x"],
      ["a tag twice", { Tags: [{ Key: "a", Value: "" }, { Key: "a", Value: "b" }] }, "Duplicate Tag Keys provided as input: Duplicate Tag Key found a"],
    ])
      it(what, () => fails(more, sentence));
    it("anything, and makes no table", () => db.refuses("DescribeTable", { TableName: "Refused" }, "ResourceNotFoundException", "Requested resource not found: Table: Refused not found"));
  });

  describe("makes", () => {
    it("a table on demand, with no units", async () => {
      const d = await create("OnDemand", HASH_ONLY);
      assert.equal(d.BillingModeSummary.BillingMode, "PAY_PER_REQUEST");
      assert.deepEqual(d.ProvisionedThroughput, { NumberOfDecreasesToday: 0, ...units(0, 0) });
      assert.equal(d.DeletionProtectionEnabled, false);
      assert.deepEqual([d.ItemCount, d.TableSizeBytes], [0, 0]);
    });
    it("a provisioned table, with no summary of billing", async () => {
      const d = await create("Provisioned", { ...HASH_ONLY, BillingMode: undefined, ProvisionedThroughput: units(5, 6) });
      assert.equal(d.BillingModeSummary, undefined);
      assert.deepEqual(d.ProvisionedThroughput, { NumberOfDecreasesToday: 0, ...units(5, 6) });
    });
    it("indexes with all that describes them", async () => {
      await create("Indexed", {
        ...PAIR, AttributeDefinitions: attributes("p", "s", "g", "l"), BillingMode: "PROVISIONED", ProvisionedThroughput: units(5, 5),
        ...global({ ...index("ByG", "g", undefined, { ProjectionType: "INCLUDE", NonKeyAttributes: ["v", "w"] }), ProvisionedThroughput: units(2, 3) }),
        ...local(index("ByL", "p", "l", KEYS_ONLY)),
      });
      const { Table: d } = await db.ask("DescribeTable", { TableName: "Indexed" });
      assert.deepEqual(d.GlobalSecondaryIndexes.map(({ WarmThroughput, ...one }) => one), [{
        IndexName: "ByG", KeySchema: [HASH("g")], Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["v", "w"] }, IndexStatus: "ACTIVE",
        ProvisionedThroughput: { NumberOfDecreasesToday: 0, ...units(2, 3) }, IndexSizeBytes: 0, ItemCount: 0, IndexArn: `${arn("Indexed")}/index/ByG`,
      }]);
      assert.deepEqual(d.LocalSecondaryIndexes, [{
        IndexName: "ByL", KeySchema: [HASH("p"), RANGE("l")], Projection: KEYS_ONLY, IndexSizeBytes: 0, ItemCount: 0, IndexArn: `${arn("Indexed")}/index/ByL`,
      }]);
      assert.deepEqual(d.AttributeDefinitions.map((one) => one.AttributeName).sort(), ["g", "l", "p", "s"]);
      assert.deepEqual(d.KeySchema, [HASH("p"), RANGE("s")]);
    });
    it("a table with a stream, and its ARN", async () => {
      const d = await create("Streamed", { ...HASH_ONLY, StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" } });
      assert.deepEqual(d.StreamSpecification, { StreamEnabled: true, StreamViewType: "NEW_IMAGE" });
      assert.match(d.LatestStreamLabel, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/);
      assert.equal(d.LatestStreamArn, `${arn("Streamed")}/stream/${d.LatestStreamLabel}`);
    });
    it("a table of a class", async () => {
      await create("Classy", { ...HASH_ONLY, TableClass: "STANDARD_INFREQUENT_ACCESS" });
      assert.equal((await db.ask("DescribeTable", { TableName: "Classy" })).Table.TableClassSummary.TableClass, "STANDARD_INFREQUENT_ACCESS");
    });
    it("no class where none was asked for", async () => assert.equal((await db.ask("DescribeTable", { TableName: "OnDemand" })).Table.TableClassSummary, undefined));
    it("an encrypted table, as described", async () => {
      await create("Secret", { ...HASH_ONLY, SSESpecification: { Enabled: true, SSEType: "KMS" } });
      const { SSEDescription } = (await db.ask("DescribeTable", { TableName: "Secret" })).Table;
      assert.deepEqual([SSEDescription.Status, SSEDescription.SSEType], ["ENABLED", "KMS"]);
    });
    it("limits on demand that come back", async () => {
      await create("Limited", { ...HASH_ONLY, OnDemandThroughput: { MaxReadRequestUnits: 10, MaxWriteRequestUnits: 20 } });
      assert.deepEqual((await db.ask("DescribeTable", { TableName: "Limited" })).Table.OnDemandThroughput, { MaxReadRequestUnits: 10, MaxWriteRequestUnits: 20 });
    });
    it("two indexes of one schema", () => create("Alike", { ...HASH_ONLY, AttributeDefinitions: attributes("p", "g"), ...global(index("One", "g"), index("Two", "g")) }));
    it("an index with the table's own schema", () => create("Itself", { ...HASH_ONLY, ...global(index("Self", "p")) }));
    it("names of 3 and of 255 characters", async () => {
      await create("abc", HASH_ONLY);
      await create("x".repeat(255), HASH_ONLY);
      await create("a.b-c_D9", HASH_ONLY);
    });
    it("what can be written to at once", async () => {
      await create("AtOnce", HASH_ONLY);
      await db.ask("DescribeTable", { TableName: "AtOnce" });
      await db.ask("PutItem", { TableName: "AtOnce", Item: { p: S("a") } });
    });
  });
});

describe("UpdateTable", () => {
  const db = useServer();
  before(async () => {
    await db.makeTable("Things", undefined, { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [index("ByG", "g")] } });
    await db.ask("CreateTable", { TableName: "Paid", AttributeDefinitions: attributes("p"), KeySchema: [HASH("p")], ProvisionedThroughput: units(5, 5) });
    await db.makeTable("Locals", "S", { attributes: [attribute("l")], input: { LocalSecondaryIndexes: [index("ByL", "p", "l")] } });
  });
  const update = async (TableName, more) => (await db.ask("UpdateTable", { TableName, ...more })).TableDescription;
  const fails = (TableName, more, sentence) => db.invalid("UpdateTable", { TableName, ...more }, sentence);
  const settled = async (TableName) => {
    for (;;) {
      const { Table } = await db.ask("DescribeTable", { TableName });
      if (Table.TableStatus === "ACTIVE" && (Table.GlobalSecondaryIndexes ?? []).every((one) => one.IndexStatus === "ACTIVE")) return Table;
    }
  };
  const create = (more) => ({ Create: { IndexName: "Fresh", KeySchema: [HASH("f")], Projection: ALL, ...more } });

  for (const [what, table, more, sentence] of [
    ["to be on demand with units", "Paid", { BillingMode: "PAY_PER_REQUEST", ProvisionedThroughput: units(1, 1) }, /^One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST$/],
    ["to be provisioned without units", "Things", { BillingMode: "PROVISIONED" }, `${P}ProvisionedThroughput must be specified when BillingMode is PROVISIONED`],
    ["to be provisioned without units for an index", "Things", { BillingMode: "PROVISIONED", ProvisionedThroughput: units(1, 1) }, `${P}ProvisionedThroughput must be specified for index: ByG`],
    ["its stream and its units at once", "Paid", { ProvisionedThroughput: units(6, 6), StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" } }, `${P}You cannot modify stream status while updating table IOPS`],
    ["its class and more", "Paid", { TableClass: "STANDARD", DeletionProtectionEnabled: true }, /modification must be the only operation in the request$/],
    ["its protection and more", "Paid", { DeletionProtectionEnabled: true, ProvisionedThroughput: units(6, 6) }, `${P}DeletionProtection modification must be the only operation in the request`],
    ["its encryption and more", "Paid", { SSESpecification: { Enabled: true }, ProvisionedThroughput: units(6, 6) }, `${P}Server-Side Encryption modification must be the only operation in the request`],
    ["a stream without a view", "Things", { StreamSpecification: { StreamEnabled: true } }, `${P}If stream is being enabled then UpdateViewType is required`],
    ["no stream, with a view", "Things", { StreamSpecification: { StreamEnabled: false, StreamViewType: "NEW_IMAGE" } }, `${P}If stream is being disabled, then UpdateViewType must not be specified`],
    ["no stream where there is none", "Things", { StreamSpecification: { StreamEnabled: false } }, "Table has no stream to disable: TableName: Things"],
    ["an index without its attributes", "Things", { GlobalSecondaryIndexUpdates: [create()] }, `${P}AttributeDefinitions is not specified for index: Fresh`],
    ["an index on an attribute of another type", "Things", { AttributeDefinitions: [attribute("g", "N")], GlobalSecondaryIndexUpdates: [create({ KeySchema: [HASH("g")] })] }, /^One or more parameter values were invalid: Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. Existing schema: Schema:\[SchemaElement: key\{g:S:HASH\}\] New schema: Schema:\[SchemaElement: key\{g:N:HASH\}\]$/],
    ["an index by an attribute that is defined twice", "Things", { AttributeDefinitions: [attribute("f"), attribute("f", "N")], GlobalSecondaryIndexUpdates: [create()] }, "Attribute Name is duplicated: f"],
    ["the units of a local index", "Locals", { GlobalSecondaryIndexUpdates: [{ Update: { IndexName: "ByL", ProvisionedThroughput: units(1, 1) } }] }, "Cannot update an index that is not a GlobalSecondaryIndex: ByL"],
    ["an index of a name that is taken", "Things", { AttributeDefinitions: attributes("g"), GlobalSecondaryIndexUpdates: [create({ IndexName: "ByG", KeySchema: [HASH("g")] })] }, "Attempting to create an index which already exists"],
    ["an index without doing anything to it", "Things", { GlobalSecondaryIndexUpdates: [{}] }, `${P}One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null`],
    ["an index in two ways at once", "Things", { GlobalSecondaryIndexUpdates: [{ ...create(), Delete: { IndexName: "ByG" } }] }, `${P}Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object`],
    ["a local index away", "Locals", { GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "ByL" } }] }, "Cannot delete an index that is not a GlobalSecondaryIndex: ByL"],
    ["nothing, by an empty list", "Things", { GlobalSecondaryIndexUpdates: [] }, /^At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, .* or TableClass is required$/],
  ])
    it(`does not change ${what}`, () => fails(table, more, sentence));
  it("makes or drops one index at a time", () =>
    db.refuses("UpdateTable", { TableName: "Things", AttributeDefinitions: attributes("f"), GlobalSecondaryIndexUpdates: [create(), { Delete: { IndexName: "ByG" } }] },
      "LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"));
  for (const [what, action] of [["drops", { Delete: { IndexName: "Nowhere" } }], ["changes", { Update: { IndexName: "Nowhere", OnDemandThroughput: { MaxReadRequestUnits: 5 } } }]])
    it(`${what} no index that is not there`, () =>
      db.refuses("UpdateTable", { TableName: "Things", GlobalSecondaryIndexUpdates: [action] }, "ResourceNotFoundException", "Requested resource not found: Index Nowhere for table Things"));
  it("does not know other tables", () =>
    db.refuses("UpdateTable", { TableName: "Missing", ...ON_DEMAND }, "ResourceNotFoundException", "Requested resource not found: Table: Missing not found"));
  it("lets on demand be on demand", async () => {
    await update("Things", ON_DEMAND);
    assert.equal((await settled("Things")).BillingModeSummary.BillingMode, "PAY_PER_REQUEST");
  });
  it("changes units", async () => {
    await update("Paid", { ProvisionedThroughput: units(7, 8) });
    const d = await settled("Paid");
    assert.deepEqual([d.ProvisionedThroughput.ReadCapacityUnits, d.ProvisionedThroughput.WriteCapacityUnits], [7, 8]);
  });
  it("goes to on demand and back", async () => {
    await update("Paid", ON_DEMAND);
    assert.equal((await settled("Paid")).ProvisionedThroughput.ReadCapacityUnits, 0);
    await update("Paid", { BillingMode: "PROVISIONED", ProvisionedThroughput: units(2, 2) });
    assert.equal((await settled("Paid")).ProvisionedThroughput.ReadCapacityUnits, 2);
  });
  it("switches a stream on, once, and off, and each time it is another", async () => {
    const on = { StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" } };
    const first = await update("Locals", on);
    await settled("Locals");
    await fails("Locals", on, "Table already has an enabled stream: TableName: Locals");
    await update("Locals", { StreamSpecification: { StreamEnabled: false } });
    const off = await settled("Locals");
    assert.equal(off.StreamSpecification, undefined);
    assert.equal(off.LatestStreamArn, first.LatestStreamArn);
    const second = await update("Locals", on);
    assert.notEqual(second.LatestStreamArn, first.LatestStreamArn);
  });
  it("protects and unprotects, as often as one likes", async () => {
    for (const DeletionProtectionEnabled of [true, true, false, false])
      assert.equal((await update("Things", { DeletionProtectionEnabled })).DeletionProtectionEnabled, DeletionProtectionEnabled);
  });
  it("fills an index with what is there, and leaves out what does not fit", async () => {
    for (const [p, f] of [["a", S("x")], ["b", N(1)], ["c", S("")], ["d", undefined], ["e", S("x".repeat(2049))], ["f", S("x")]])
      await db.ask("PutItem", { TableName: "Things", Item: { p: S(p), ...(f && { f }) } });
    await update("Things", { AttributeDefinitions: attributes("f", "superfluous"), GlobalSecondaryIndexUpdates: [create()] });
    await settled("Things");
    const { Items } = await db.ask("Scan", { TableName: "Things", IndexName: "Fresh" });
    assert.deepEqual(Items.map((one) => one.p.S).sort(), ["a", "f"]);
  });
});

describe("ListTables, TTL, tags and limits", () => {
  const db = useServer();
  before(async () => {
    for (const name of ["aaa", "aab", "BBB", "a.a", "a-a", "zzz"]) await db.makeTable(name);
  });
  it("tables are listed in the order of their bytes", async () =>
    assert.deepEqual(await db.ask("ListTables", {}), { TableNames: ["BBB", "a-a", "a.a", "aaa", "aab", "zzz"] }));
  for (const Limit of [1, 2, 4, 6])
    it(`tables are listed ${Limit} at a time`, async () => {
      const names = [];
      let ExclusiveStartTableName;
      do {
        const page = await db.ask("ListTables", { Limit, ExclusiveStartTableName });
        names.push(...page.TableNames);
        ExclusiveStartTableName = page.LastEvaluatedTableName;
      } while (ExclusiveStartTableName);
      assert.deepEqual(names, ["BBB", "a-a", "a.a", "aaa", "aab", "zzz"]);
    });
  it("a list may begin where no table is", async () => assert.deepEqual((await db.ask("ListTables", { ExclusiveStartTableName: "aaaa" })).TableNames, ["aab", "zzz"]));
  it("a list does not begin at a name that could be none", () => db.invalid("ListTables", { ExclusiveStartTableName: "a!" }, /at 'exclusiveStartTableName' failed to satisfy constraint/));

  const ttl = (Enabled, AttributeName, TableName = "aaa") => ({ TableName, TimeToLiveSpecification: { Enabled, AttributeName } });
  it("a table that never expired anything says so", async () =>
    assert.deepEqual(await db.ask("DescribeTimeToLive", { TableName: "aab" }), { TimeToLiveDescription: { TimeToLiveStatus: "DISABLED" } }));
  it("expiry is not switched off where it is off", () => db.invalid("UpdateTimeToLive", ttl(false, "t", "aab"), "TimeToLive is already disabled"));
  it("expiry is by one attribute", async () => {
    await db.ask("UpdateTimeToLive", ttl(true, "t"));
    await db.invalid("UpdateTimeToLive", ttl(true, "u"), /^TimeToLive is (active on a different AttributeName: current AttributeName is t|already enabled)$/);
    await db.invalid("UpdateTimeToLive", ttl(false, "u"), "TimeToLive is active on a different AttributeName: current AttributeName is t");
  });
  for (const [what, specification, sentence] of [
    ["an empty name", { Enabled: true, AttributeName: "" }, /at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must have length greater than or equal to 1$/],
    ["a name of 256 bytes", { Enabled: true, AttributeName: "x".repeat(256) }, /at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must have length less than or equal to 255$/],
    ["no name", { Enabled: true }, /at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must not be null$/],
  ])
    it(`expiry is not by ${what}`, () => db.invalid("UpdateTimeToLive", { TableName: "aab", TimeToLiveSpecification: specification }, sentence));
  for (const call of ["DescribeTimeToLive", "DescribeContinuousBackups", "DescribeKinesisStreamingDestination", "DescribeContributorInsights"])
    it(`${call} does not know other tables`, async () => {
      const error = await db.ask(call, { TableName: "missing" }).then(() => assert.fail("accepted"), (caught) => caught);
      assert.match(error.name, /^(ResourceNotFoundException|TableNotFoundException)$/);
    });

  for (const [what, call, input, sentence, name] of [
    ["no tags", "TagResource", { ResourceArn: arn("aaa"), Tags: [] }, "Atleast one Tag needs to be provided as Input."],
    ["no keys", "UntagResource", { ResourceArn: arn("aaa"), TagKeys: [] }, "Atleast one Tag Key needs to be provided as Input."],
    ["a tag twice", "TagResource", { ResourceArn: arn("aaa"), Tags: [{ Key: "a", Value: "" }, { Key: "a", Value: "" }] }, "Duplicate Tag Keys provided as input: Duplicate Tag Key found a"],
    ["a tag of AWS", "TagResource", { ResourceArn: arn("aaa"), Tags: [{ Key: "aws:a", Value: "" }] }, "Tag Key cannot be prefixed with aws:, Key: aws:a"],
    ["a value with odd characters", "TagResource", { ResourceArn: arn("aaa"), Tags: [{ Key: "a", Value: "x;y" }] }, "The Tag Value provided is invalid, Value: x;y"],
    ["what is no ARN", "TagResource", { ResourceArn: "aaa", Tags: [{ Key: "a", Value: "" }] }, `${P}ARNs must start with 'arn:': aaa`],
    ["an ARN of something else", "ListTagsOfResource", { ResourceArn: "arn:aws:s3:::bucket" }, `${P}Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::bucket`],
    ["an index", "TagResource", { ResourceArn: `${arn("aaa")}/index/i`, Tags: [{ Key: "a", Value: "" }] }, `${P}Invalid resource arn provided, only table or stream is accepted. Provided resource arn: ${arn("aaa")}/index/i`],
  ])
    it(`${call} does not take ${what}`, () => db.refuses(call, input, name ?? "ValidationException", sentence));
  it("tags are overwritten by key, and unknown ones are untagged in peace", async () => {
    const ResourceArn = arn("aab");
    await db.ask("TagResource", { ResourceArn, Tags: [{ Key: "a", Value: "1" }, { Key: "ö é", Value: "+-=._:/@" }] });
    await db.ask("TagResource", { ResourceArn, Tags: [{ Key: "a", Value: "2" }] });
    await db.ask("UntagResource", { ResourceArn, TagKeys: ["zz"] });
    const { Tags } = await db.ask("ListTagsOfResource", { ResourceArn });
    assert.deepEqual(Tags.sort((x, y) => (x.Key < y.Key ? -1 : 1)), [{ Key: "a", Value: "2" }, { Key: "ö é", Value: "+-=._:/@" }]);
  });
  for (const [call, input, answer] of [
    ["ListBackups", {}, { BackupSummaries: [] }], ["ListExports", {}, { ExportSummaries: [] }], ["ListImports", {}, { ImportSummaryList: [] }],
    ["ListGlobalTables", {}, { GlobalTables: [] }], ["ListContributorInsights", {}, { ContributorInsightsSummaries: [] }],
    ["DescribeKinesisStreamingDestination", { TableName: "aaa" }, { TableName: "aaa", KinesisDataStreamDestinations: [] }],
  ])
    it(`${call} has nothing to tell`, async () => assert.deepEqual(await db.ask(call, input), answer));
  it("a table has no policy", () => db.refuses("GetResourcePolicy", { ResourceArn: arn("aaa") }, "PolicyNotFoundException"));
  for (const [call, input] of [
    ["ExportTableToPointInTime", { TableArn: arn("aaa"), S3Bucket: "b" }], ["CreateGlobalTable", { GlobalTableName: "aaa", ReplicationGroup: [] }],
    ["EnableKinesisStreamingDestination", { TableName: "aaa", StreamArn: `arn:aws:kinesis:us-east-1:000000000000:stream/s` }],
  ])
    it(`${call} is not here, and nobody should try again`, async () => {
      const error = await db.ask(call, input).then(() => assert.fail("accepted"), (caught) => caught);
      assert.equal(error.$metadata.httpStatusCode, 400, `${error.name}: ${error.message}`);
    });
});
