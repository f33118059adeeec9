// SPDX-License-Identifier: MIT
// How much there may be of everything: what is just allowed, and what is one more.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { attribute, index, KEYS_ONLY, P, useServer } from "../lib/suite.js";
import { B, L, M, N, NS, S, SS, nested } from "../lib/values.js";

const MAX = 409600;
const TOO_LARGE = "Item size has exceeded the maximum allowed size";
const TOO_LARGE_UPDATE = "Item size to update has exceeded the maximum allowed size";
const TOO_DEEP = "Nesting Levels have exceeded supported limits";
const text = (bytes) => S("x".repeat(bytes));
const bytes = (count) => B(new Uint8Array(count));

describe("an item's size", () => {
  const db = useServer();
  const put = (attributes) => db.ask("PutItem", { TableName: "Things", Item: { p: S("a"), ...attributes } });
  const refused = (attributes) => db.invalid("PutItem", { TableName: "Things", Item: { p: S("a"), ...attributes } }, TOO_LARGE);
  before(async () => {
    await db.makeTable("Things");
    await db.makeTable("Local", "N", { attributes: [attribute("l", "N")], input: { LocalSecondaryIndexes: [index("ByL", "p", "l")] } });
  });

  // The key has 2 bytes: what is beside it may have 409598.
  const left = MAX - 2;
  for (const [what, fits, more] of [
    ["a string by its bytes", { v: text(left - 1) }, { v: text(left) }],
    ["a string in UTF-8", { v: S("é".repeat((left - 2) / 2)), w: S("") }, { v: S("é".repeat((left - 2) / 2)), w: S("x") }],
    ["bytes as they are", { v: bytes(left - 1) }, { v: bytes(left) }],
    ["a name", { ["n".repeat(65535)]: text(left - 65535) }, { ["n".repeat(65535)]: text(left - 65534) }],
    ["true and null as a byte", { v: text(left - 5), b: { BOOL: true }, c: { NULL: true } }, { v: text(left - 4), b: { BOOL: true }, c: { NULL: true } }],
    ["0 as a byte", { v: text(left - 3), n: N(0) }, { v: text(left - 2), n: N(0) }],
    ["1 as 2 bytes", { v: text(left - 4), n: N(1) }, { v: text(left - 3), n: N(1) }],
    ["123 as 3 bytes", { v: text(left - 5), n: N(123) }, { v: text(left - 4), n: N(123) }],
    ["-42 as 3 bytes", { v: text(left - 5), n: N(-42) }, { v: text(left - 4), n: N(-42) }],
    ["38 digits as 20 bytes", { v: text(left - 22), n: N("1".repeat(38)) }, { v: text(left - 21), n: N("1".repeat(38)) }],
    ["a set as its elements", { v: text(left - 5), s: SS("a", "bc") }, { v: text(left - 4), s: SS("a", "bc") }],
    ["numbers of a set", { v: text(left - 6), s: NS(1, 12) }, { v: text(left - 5), s: NS(1, 12) }],
    ["an empty list as 3 bytes", { v: text(left - 5), l: L() }, { v: text(left - 4), l: L() }],
    ["an empty map as 3 bytes", { v: text(left - 5), m: M({}) }, { v: text(left - 4), m: M({}) }],
    ["an element of a list as one more", { v: text(left - 8), l: L(S("ab")) }, { v: text(left - 7), l: L(S("ab")) }],
    ["a member of a map as its name and one more", { v: text(left - 10), m: M({ ab: S("cd") }) }, { v: text(left - 9), m: M({ ab: S("cd") }) }],
    ["a list in a list", { v: text(left - 9), l: L(L()) }, { v: text(left - 8), l: L(L()) }],
  ]) {
    it(`counts ${what}, and fits`, () => put(fits));
    it(`counts ${what}, and does not`, () => refused(more));
  }

  it("binds BatchWriteItem", () => db.invalid("BatchWriteItem", { RequestItems: { Things: [{ PutRequest: { Item: { p: S("a"), v: text(left) } } }] } }, TOO_LARGE));
  it("binds TransactWriteItems", () => db.invalid("TransactWriteItems", { TransactItems: [{ Put: { TableName: "Things", Item: { p: S("a"), v: text(left) } } }] }, TOO_LARGE));
  describe("binds updates:", () => {
    before(() => db.ask("PutItem", { TableName: "Things", Item: { p: S("u"), v: text(MAX - 2 - 1 - 10) } }));
    const update = (UpdateExpression, values) => ({ TableName: "Things", Key: { p: S("u") }, UpdateExpression, ExpressionAttributeValues: values });
    for (const [what, expression, values] of [
      ["one attribute more", "SET w = :v", { ":v": text(10) }],
      ["a copy", "SET w = v", undefined],
      ["a set that grows", "ADD w :v", { ":v": SS("x".repeat(10)) }],
      ["a list that grows", "SET w = list_append(:v, :w)", { ":v": L(S("xxxxx")), ":w": L(S("xxx")) }],
    ])
      it(what, () => db.invalid("UpdateItem", update(expression, values), TOO_LARGE_UPDATE));
    it("what replaces as much", () => db.ask("UpdateItem", update("SET w = :v", { ":v": text(9) })));
    it("what takes away", () => db.ask("UpdateItem", update("REMOVE w")));
    it("in a transaction it cancels", async () => {
      const error = await db.refuses("TransactWriteItems", { TransactItems: [{ Update: update("SET w = :v", { ":v": text(10) }) }] }, "TransactionCanceledException");
      assert.deepEqual(error.CancellationReasons, [{ Code: "ValidationError", Message: TOO_LARGE_UPDATE }]);
    });
  });
});

describe("an item and its entries in local indexes", () => {
  const db = useServer();
  before(() =>
    db.makeTable("Local", "N", {
      attributes: [attribute("l", "N"), attribute("k", "N")],
      input: {
        LocalSecondaryIndexes: [index("ByL", "p", "l"), index("ByK", "p", "k", KEYS_ONLY)],
        GlobalSecondaryIndexes: [index("Global", "l")],
      },
    }));
  // 2 and 3 bytes of key, 3 of l, 1 of the name v: twice as much is 409600.
  const half = MAX / 2 - 9;
  const item = (attributes) => ({ TableName: "Local", Item: { p: S("a"), s: N(1), ...attributes } });
  it("have 409600 bytes together", () => db.ask("PutItem", item({ l: N(1), v: text(half) })));
  it("and none more", () => db.invalid("PutItem", item({ l: N(1), v: text(half + 1) }), TOO_LARGE));
  it("of which each index counts what it holds", async () => {
    // Both the item and its whole entry have k besides, and the entry of keys alone has 8 bytes.
    await db.ask("PutItem", item({ l: N(1), k: N(1), v: text(half - 3 - 4) }));
    await db.invalid("PutItem", item({ l: N(1), k: N(1), v: text(half - 3 - 3) }), TOO_LARGE);
  });
  it("without an entry leave the item all of it", () => db.ask("PutItem", item({ v: text(MAX - 6) })));
  const update = (UpdateExpression, values) => ({ TableName: "Local", Key: { p: S("a"), s: N(1) }, UpdateExpression, ExpressionAttributeValues: values });
  it("bind the update that makes an entry", async () => {
    await db.ask("PutItem", item({ v: text(half + 1) }));
    await db.invalid("UpdateItem", update("SET l = :l", { ":l": N(1) }), TOO_LARGE_UPDATE);
    await db.ask("UpdateItem", update("SET l = :l, v = :v", { ":l": N(1), ":v": text(half) }));
  });
  it("reject a batch before any of its writes", async () => {
    const puts = [{ s: N(7) }, { s: N(8), l: N(1), v: text(half + 1) }, { s: N(9) }].map((attributes) => ({ PutRequest: { Item: { p: S("batch"), ...attributes } } }));
    await db.invalid("BatchWriteItem", { RequestItems: { Local: puts } }, TOO_LARGE);
    assert.equal((await db.ask("Query", { TableName: "Local", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("batch") } })).Count, 0);
  });
  it("cancel a transaction", async () => {
    const error = await db.refuses("TransactWriteItems", { TransactItems: [{ Put: item({ l: N(1), v: text(half + 1) }) }] }, "TransactionCanceledException");
    assert.deepEqual(error.CancellationReasons, [{ Code: "ValidationError", Message: TOO_LARGE }]);
  });
});

describe("nesting", () => {
  const db = useServer();
  before(() => db.makeTable("Things"));
  const inMaps = (levels) => (levels === 1 ? S("x") : M({ m: inMaps(levels - 1) }));
  for (const [what, make] of [["lists", nested], ["maps", inMaps]]) {
    it(`${what} of 32 levels are kept`, async () => {
      await db.ask("PutItem", { TableName: "Things", Item: { p: S(what), v: make(32) } });
      assert.deepEqual((await db.ask("GetItem", { TableName: "Things", Key: { p: S(what) } })).Item.v, make(32));
    });
    it(`${what} of 33 levels are not`, () => db.invalid("PutItem", { TableName: "Things", Item: { p: S(what), v: make(33) } }, TOO_DEEP));
    it(`${what} of 33 levels are not for BatchWriteItem`, () => db.invalid("BatchWriteItem", { RequestItems: { Things: [{ PutRequest: { Item: { p: S(what), v: make(33) } } }] } }, TOO_DEEP));
    it(`${what} of 33 levels are no value of an expression`, () =>
      db.invalid("UpdateItem", { TableName: "Things", Key: { p: S("u") }, UpdateExpression: "SET v = :v", ExpressionAttributeValues: { ":v": make(33) } },
        `ExpressionAttributeValues contains invalid value: ${TOO_DEEP} for key :v`));
  }
  it("is counted from where an update puts it", async () => {
    await db.ask("PutItem", { TableName: "Things", Item: { p: S("grow"), m: M({}) } });
    await db.ask("UpdateItem", { TableName: "Things", Key: { p: S("grow") }, UpdateExpression: "SET m.x = :v", ExpressionAttributeValues: { ":v": nested(31) } });
    await db.invalid("UpdateItem", { TableName: "Things", Key: { p: S("grow") }, UpdateExpression: "SET m.x = :v", ExpressionAttributeValues: { ":v": nested(32) } }, TOO_DEEP);
  });
});

describe("names", () => {
  const db = useServer();
  before(() => db.makeTable("Things"));
  const put = (name) => ({ TableName: "Things", Item: { p: S("a"), [name]: N(1) } });
  it("of attributes have 65535 bytes at most", () => db.ask("PutItem", put("n".repeat(65535))));
  it("of attributes may be anything", async () => {
    const name = "\u0000 é 漢 \u{1F600} .[]#:";
    await db.ask("PutItem", put(name));
    assert.deepEqual((await db.ask("GetItem", { TableName: "Things", Key: { p: S("a") } })).Item, { p: S("a"), [name]: N(1) });
  });
  for (const [what, name, sentence] of [
    ["empty", "", `${P}Empty attribute name`],
    ["of 65536 bytes", "n".repeat(65536), /^One or more parameter values were invalid: Attribute name is too large/],
    ["of 65536 bytes in fewer characters", "é".repeat(32768), /^One or more parameter values were invalid: Attribute name is too large/],
  ]) {
    it(`that are ${what} are not put`, () => db.invalid("PutItem", put(name), sentence));
    it(`that are ${what} are not updated in the old way`, async () => {
      const Key = { p: S(`old ${what}`) };
      await db.invalid("UpdateItem", { TableName: "Things", Key, AttributeUpdates: { [name]: { Value: N(1) } } }, sentence);
      assert.deepEqual(await db.ask("GetItem", { TableName: "Things", Key }), {});
    });
    it(`that are ${what} have no placeholder`, async () => {
      const Key = { p: S(`new ${what}`) };
      await db.invalid("UpdateItem", { TableName: "Things", Key, UpdateExpression: "SET #a = :v", ExpressionAttributeNames: { "#a": name }, ExpressionAttributeValues: { ":v": N(1) } },
        /^ExpressionAttributeNames contains invalid value: (Empty attribute name|Attribute name is too large) for key #a$|^1 validation error detected: .*less than or equal to 65535$/);
      assert.deepEqual(await db.ask("GetItem", { TableName: "Things", Key }), {});
    });
  }
  it("of members may not be empty either", () => db.invalid("PutItem", { TableName: "Things", Item: { p: S("a"), m: M({ "": N(1) }) } }));
});

describe("requests", () => {
  const db = useServer();
  const ids = (count, from = 0) => Array.from({ length: count }, (_, i) => ({ p: S(`${from + i}`) }));
  before(async () => {
    await db.makeTable("Things");
    await db.makeTable("Pairs", "N");
  });
  const CONSTRAINT = (member, words, n) => new RegExp(`at '${member}' failed to satisfy constraint: Member must have length ${words} than or equal to ${n}$`);

  it("write 25 items", () => db.ask("BatchWriteItem", { RequestItems: { Things: ids(25).map((Item) => ({ PutRequest: { Item } })) } }));
  it("write no 26 items", () => db.invalid("BatchWriteItem", { RequestItems: { Things: ids(26).map((Item) => ({ PutRequest: { Item } })) } },
    /at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: \[Member must have length less than or equal to 25, Member must have length greater than or equal to 1\]$/));
  it("write no 26 items of two tables", () =>
    db.invalid("BatchWriteItem", { RequestItems: { Things: ids(25).map((Item) => ({ PutRequest: { Item } })), Pairs: [{ DeleteRequest: { Key: { p: S("a"), s: N(1) } } }] } }, "Too many items requested for the BatchWriteItem call"));
  it("write something", () => db.invalid("BatchWriteItem", { RequestItems: { Things: [] } }, /Map value must satisfy constraint/));
  it("get 100 items", async () => assert.equal((await db.ask("BatchGetItem", { RequestItems: { Things: { Keys: ids(100) } } })).Responses.Things.length, 25));
  it("get no 101 items", () => db.invalid("BatchGetItem", { RequestItems: { Things: { Keys: ids(101) } } },
    "1 validation error detected: Value at 'RequestItems.Things.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100"));
  it("get no 101 items of two tables", () =>
    db.invalid("BatchGetItem", { RequestItems: { Things: { Keys: ids(100) }, Pairs: { Keys: [{ p: S("a"), s: N(1) }] } } }, "Too many items requested for the BatchGetItem call"));
  it("get something", () => db.invalid("BatchGetItem", { RequestItems: { Things: { Keys: [] } } }, /greater than or equal to 1/));
  it("transact 100 gets", async () => assert.equal((await db.ask("TransactGetItems", { TransactItems: ids(100).map((Key) => ({ Get: { TableName: "Things", Key } })) })).Responses.length, 100));
  it("transact no 101 gets", () => db.invalid("TransactGetItems", { TransactItems: ids(101).map((Key) => ({ Get: { TableName: "Things", Key } })) }, CONSTRAINT("transactItems", "less", 100)));
  it("transact 100 writes", () => db.ask("TransactWriteItems", { TransactItems: ids(100).map((Item) => ({ Put: { TableName: "Things", Item } })) }));
  it("transact no 101 writes", () => db.invalid("TransactWriteItems", { TransactItems: ids(101).map((Item) => ({ Put: { TableName: "Things", Item } })) }, CONSTRAINT("transactItems", "less", 100)));
  const large = (count, size) => ids(count, 1000).map((Key) => ({ Put: { TableName: "Things", Item: { ...Key, v: text(size) } } }));
  it("transact some 4 MB of writes", () => db.ask("TransactWriteItems", { TransactItems: large(10, 400000) }));
  it("transact no more than 4 MB of writes", () => db.invalid("TransactWriteItems", { TransactItems: large(11, 400000) }, /Transaction payload size cannot exceed 4MB/));
  it("take away more than 4 MB in a transaction", () =>
    db.ask("TransactWriteItems", { TransactItems: ids(10, 1000).map((Key) => ({ Delete: { TableName: "Things", Key } })) }));
  it("get what is larger than a page in several turns", async () => {
    await db.ask("BatchWriteItem", { RequestItems: { Pairs: Array.from({ length: 4 }, (_, i) => ({ PutRequest: { Item: { p: S("big"), s: N(i), v: text(350000) } } })) } });
    const input = { TableName: "Pairs", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("big") } };
    const first = await db.ask("Query", input);
    assert.deepEqual([first.Count, first.LastEvaluatedKey], [3, { p: S("big"), s: N(2) }]);
    assert.equal((await db.ask("Query", { ...input, ExclusiveStartKey: first.LastEvaluatedKey })).Count, 1);
    const none = await db.ask("Query", { ...input, FilterExpression: "attribute_not_exists(v)" });
    assert.deepEqual([none.Count, none.ScannedCount, none.LastEvaluatedKey], [0, 3, { p: S("big"), s: N(2) }]);
    const counted = await db.ask("Query", { ...input, Select: "COUNT" });
    assert.deepEqual([counted.Count, counted.LastEvaluatedKey], [3, { p: S("big"), s: N(2) }]);
    const scanned = await db.ask("Scan", { TableName: "Pairs" });
    assert.deepEqual([scanned.Count, scanned.LastEvaluatedKey], [3, { p: S("big"), s: N(2) }]);
    const selected = await db.ask("ExecuteStatement", { Statement: "SELECT s FROM Pairs WHERE p = 'big'" });
    assert.equal(selected.Items.length, 3);
    assert.equal((await db.ask("ExecuteStatement", { Statement: "SELECT s FROM Pairs WHERE p = 'big'", NextToken: selected.NextToken })).Items.length, 1);
  });
  it("get what is larger than 16 MB in part", async () => {
    for (let i = 0; i < 42; i += 21)
      await db.ask("BatchWriteItem", { RequestItems: { Things: ids(21, 2000 + i).map((Key) => ({ PutRequest: { Item: { ...Key, v: text(409000) } } })) } });
    const said = await db.ask("BatchGetItem", { RequestItems: { Things: { Keys: ids(42, 2000), ConsistentRead: true, ProjectionExpression: "p, #v", ExpressionAttributeNames: { "#v": "v" } } } });
    const { Keys, ...rest } = said.UnprocessedKeys.Things;
    assert.equal(said.Responses.Things.length + Keys.length, 42);
    assert.ok(said.Responses.Things.length >= 35 && said.Responses.Things.length <= 42 && Keys.length > 0, `${said.Responses.Things.length}`);
    assert.deepEqual(rest, { ConsistentRead: true, ProjectionExpression: "p, #v", ExpressionAttributeNames: { "#v": "v" } });
    const last = await db.ask("BatchGetItem", { RequestItems: said.UnprocessedKeys });
    assert.equal(new Set([...said.Responses.Things, ...last.Responses.Things].map(({ p }) => p.S)).size, 42);
    assert.deepEqual(last.UnprocessedKeys, {});
  });
  it("name 255 attributes of the old kind", async () =>
    assert.ok(await db.ask("GetItem", { TableName: "Things", Key: { p: S("0") }, AttributesToGet: Array.from({ length: 255 }, (_, i) => `a${i}`) })));
  it("name no 256 attributes of the old kind", () =>
    db.invalid("GetItem", { TableName: "Things", Key: { p: S("0") }, AttributesToGet: Array.from({ length: 256 }, (_, i) => `a${i}`) }, CONSTRAINT("attributesToGet", "less", 255)));
  it("scan in a million segments", () => db.ask("Scan", { TableName: "Pairs", Segment: 999999, TotalSegments: 1000000 }));
  it("carry 2 MB of values for expressions", () => {
    const value = (v) => db.invalid("UpdateItem", { TableName: "Things", Key: { p: S("v") }, UpdateExpression: "SET v = :v", ExpressionAttributeValues: { ":v": L(...Array.from({ length: 6 }, () => text(v))) } });
    return value(400000);
  });
});

describe("tables", () => {
  const db = useServer();
  const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  const table = (TableName, definitions, more) => ({ TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [attribute("p"), ...definitions], KeySchema: [{ AttributeName: "p", KeyType: "HASH" }], ...more });
  const sorted = (TableName, definitions, more) => ({ ...table(TableName, [attribute("s"), ...definitions], more), KeySchema: [{ AttributeName: "p", KeyType: "HASH" }, { AttributeName: "s", KeyType: "RANGE" }] });

  it("have 20 global indexes", () => db.ask("CreateTable", table("Twenty", [attribute("g")], { GlobalSecondaryIndexes: many(20, (i) => index(`Index${i}`, "g")) })));
  it("have no 21 global indexes", () =>
    db.invalid("CreateTable", table("More", [attribute("g")], { GlobalSecondaryIndexes: many(21, (i) => index(`Index${i}`, "g")) }), `${P}GlobalSecondaryIndex count exceeds the per-table limit of 20`));
  it("are given no index beyond the 20th", () =>
    db.refuses("UpdateTable", { TableName: "Twenty", AttributeDefinitions: [attribute("g")], GlobalSecondaryIndexUpdates: [{ Create: index("More", "g") }] },
      "LimitExceededException", "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20"));
  it("have 5 local indexes", () => db.ask("CreateTable", sorted("Five", [attribute("l")], { LocalSecondaryIndexes: many(5, (i) => index(`Index${i}`, "p", "l")) })));
  it("have no 6 local indexes", () =>
    db.invalid("CreateTable", sorted("More", [attribute("l")], { LocalSecondaryIndexes: many(6, (i) => index(`Index${i}`, "p", "l")) }), `${P}Number of LocalSecondaryIndexes exceeds per-table limit of 5`));
  it("have keys of 4 and 4 attributes in an index", () =>
    db.ask("CreateTable", table("Wide", many(8, (i) => attribute(`k${i}`)), { GlobalSecondaryIndexes: [index("Wide", many(4, (i) => `k${i}`), many(4, (i) => `k${i + 4}`))] })));
  it("have no keys of 5 attributes", () =>
    db.invalid("CreateTable", table("More", many(5, (i) => attribute(`k${i}`)), { GlobalSecondaryIndexes: [index("Wide", many(5, (i) => `k${i}`))] })));
  it("have no sort keys of 5 attributes", () =>
    db.invalid("CreateTable", table("More", many(6, (i) => attribute(`k${i}`)), { GlobalSecondaryIndexes: [index("Wide", "k0", many(5, (i) => `k${i + 1}`))] })));
  const including = (count, from = 0) => ({ ProjectionType: "INCLUDE", NonKeyAttributes: many(count, (i) => `a${from + i}`) });
  it("project 20 attributes by name", () => db.ask("CreateTable", table("Some", [attribute("g")], { GlobalSecondaryIndexes: [index("Some", "g", undefined, including(20))] })));
  it("project no more than 100 by name in all", () =>
    db.invalid("CreateTable", table("More", [attribute("g")], { GlobalSecondaryIndexes: many(6, (i) => index(`Index${i}`, "g", undefined, including(20, i * 20))) })));
  it("have names of 255 characters", () => db.ask("CreateTable", table("n".repeat(255), [])));
  it("have names of 3 characters", () => db.ask("CreateTable", table("a.-", [])));
  it("have key attributes with names of 255 bytes", async () => {
    const name = "k".repeat(255);
    await db.ask("CreateTable", { ...table("LongKey", []), AttributeDefinitions: [attribute(name)], KeySchema: [{ AttributeName: name, KeyType: "HASH" }] });
  });
  it("have no key attributes with names of 256 bytes", () => {
    const name = "k".repeat(256);
    return db.invalid("CreateTable", { ...table("More", []), AttributeDefinitions: [attribute(name)], KeySchema: [{ AttributeName: name, KeyType: "HASH" }] }, /Member must have length less than or equal to 255/);
  });
  it("have no names of more than 255 bytes in fewer characters, for keys, for what is projected and for what expires", async () => {
    const name = "é".repeat(128);
    const shorter = (path) => `1 validation error detected: Value '${name}' at '${path}' failed to satisfy constraint: Member must have length less than or equal to 255`;
    await db.invalid("CreateTable", { ...table("More", []), KeySchema: [{ AttributeName: name, KeyType: "HASH" }] }, shorter("keySchema.1.member.attributeName"));
    await db.invalid("CreateTable", { ...table("More", []), AttributeDefinitions: [attribute(name)] }, shorter("attributeDefinitions.1.member.attributeName"));
    await db.invalid("CreateTable", table("More", [attribute("g")], { GlobalSecondaryIndexes: [index("Some", "g", undefined, { ProjectionType: "INCLUDE", NonKeyAttributes: [name] })] }),
      shorter("globalSecondaryIndexes.1.member.projection.nonKeyAttributes.1.member"));
    await db.invalid("UpdateTimeToLive", { TableName: "Twenty", TimeToLiveSpecification: { Enabled: true, AttributeName: name } }, shorter("timeToLiveSpecification.attributeName"));
  });
  it("have 50 tags", () => db.ask("CreateTable", table("Tagged", [], { Tags: many(50, (i) => ({ Key: `k${i}`, Value: "v" })) })));
  it("have no 51 tags", async () => {
    await db.invalid("CreateTable", table("More", [], { Tags: many(51, (i) => ({ Key: `k${i}`, Value: "v" })) }));
    await db.refuses("DescribeTable", { TableName: "More" }, "ResourceNotFoundException");
  });
  it("are listed 100 at a time", async () => {
    for (let i = 0; i < 95; i++) await db.ask("CreateTable", table(`T${String(i).padStart(3, "0")}`, []));
    const first = await db.ask("ListTables");
    assert.equal(first.TableNames.length, 100);
    assert.equal(first.LastEvaluatedTableName, first.TableNames[99]);
    const rest = await db.ask("ListTables", { ExclusiveStartTableName: first.LastEvaluatedTableName });
    assert.equal(rest.LastEvaluatedTableName, undefined);
    assert.deepEqual([...first.TableNames, ...rest.TableNames], [...first.TableNames, ...rest.TableNames].sort());
  });
});
