// SPDX-License-Identifier: MIT
// What a query may not ask, what Select means, and where a page may begin.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ALL, HASH, KEYS_ONLY, P, RANGE, attribute, useServer } from "../lib/suite.js";
import { L, N, S } from "../lib/values.js";

describe("Query", () => {
  const db = useServer();
  before(async () => {
    await db.ask("CreateTable", {
      TableName: "Pairs", BillingMode: "PAY_PER_REQUEST", KeySchema: [HASH("p"), RANGE("s")],
      AttributeDefinitions: [attribute("p"), attribute("s", "N"), attribute("g"), attribute("h", "N"), attribute("l")],
      GlobalSecondaryIndexes: [
        { IndexName: "Keys", KeySchema: [HASH("g"), RANGE("h")], Projection: KEYS_ONLY },
        { IndexName: "Some", KeySchema: [HASH("g")], Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["v"] } },
        { IndexName: "Everything", KeySchema: [HASH("g")], Projection: ALL },
      ],
      LocalSecondaryIndexes: [{ IndexName: "Local", KeySchema: [HASH("p"), RANGE("l")], Projection: KEYS_ONLY }],
    });
    await db.makeTable("Single");
    for (let i = 0; i < 3; i++) await db.ask("PutItem", { TableName: "Pairs", Item: { p: S("a"), s: N(i), g: S("g"), h: N(i), l: S(`l${i}`), v: N(i * 10), w: S("w") } });
    await db.ask("PutItem", { TableName: "Single", Item: { p: S("a") } });
  });
  const input = (condition, values, more = {}) => ({ TableName: "Pairs", KeyConditionExpression: condition, ExpressionAttributeValues: values, ...more });
  const fails = (condition, values, sentence, more) => db.invalid("Query", input(condition, values, more), sentence);
  const A = { ":p": S("a") };

  describe("refuses the key condition", () => {
    for (const [condition, values, sentence, more] of [
      ["p < :p", A, "Query key condition not supported"],
      ["p BETWEEN :p AND :q", { ...A, ":q": S("b") }, "Query key condition not supported"],
      ["begins_with(p, :p)", A, "Query key condition not supported"],
      ["s = :n", { ":n": N(1) }, "Query condition missed key schema element: p"],
      ["v = :n", { ":n": N(1) }, /^Query condition missed key schema element: [ps]$/],
      ["p = :p AND v = :n", { ...A, ":n": N(1) }, "Query condition missed key schema element: s"],
      ["p = :p AND s = :n AND v = :n", { ...A, ":n": N(1) }, "Conditions can be of length 1 or 2 only"],
      ["p = :p AND p = :p", A, "KeyConditionExpressions must only contain one condition per key"],
      ["p = :p AND s > :n AND s < :n", { ...A, ":n": N(1) }, "KeyConditionExpressions must only contain one condition per key"],
      ["p = :p OR p = :q", { ...A, ":q": S("b") }, "Invalid operator used in KeyConditionExpression: OR"],
      ["NOT p = :p", A, "Invalid operator used in KeyConditionExpression: NOT"],
      ["p IN (:p)", A, "Invalid operator used in KeyConditionExpression: IN"],
      ["p <> :p", A, "Invalid operator used in KeyConditionExpression: <>"],
      ["attribute_exists(p)", undefined, "Invalid operator used in KeyConditionExpression: attribute_exists"],
      ["p = :p AND attribute_not_exists(s)", A, "Invalid operator used in KeyConditionExpression: attribute_not_exists"],
      ["p = :p AND attribute_type(s, :p)", A, /^Invalid operator used in KeyConditionExpression: attribute_type$|^Invalid KeyConditionExpression: Invalid attribute type name found/],
      ["p = :p AND contains(s, :n)", { ...A, ":n": N(1) }, "Invalid operator used in KeyConditionExpression: contains"],
      ["p = :p AND size(s) = :n", { ...A, ":n": N(1) }, "KeyConditionExpressions cannot contain nested operations"],
      ["p.x = :p", A, "KeyConditionExpressions cannot have conditions on nested attributes"],
      ["p = :p AND s[0] = :n", { ...A, ":n": N(1) }, "KeyConditionExpressions cannot have conditions on nested attributes"],
      ["p = s", undefined, "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"],
      ["p = :p AND :n = :m", { ...A, ":n": N(1), ":m": N(1) }, "Invalid condition in KeyConditionExpression: No key attribute specified"],
      ["p = :p AND s = :n", { ":p": N(1), ":n": N(1) }, `${P}Condition parameter type does not match schema type`],
      ["p = :p AND begins_with(s, :x)", { ...A, ":x": S("1") }, `${P}Condition parameter type does not match schema type`],
      ["p = :p AND s BETWEEN :m AND :n", { ...A, ":n": N(1), ":m": N(2) }, "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"],
      ["p = :p AND", A, "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"AND\""],
      ["", undefined, "Invalid KeyConditionExpression: The expression can not be empty;"],
      ["p = :p AND s = :n", { ...A, ":n": L() }, `${P}Condition parameter type does not match schema type`],
      ["g = :p AND s = :n", { ...A, ":n": N(1) }, "Query condition missed key schema element: h", { IndexName: "Keys" }],
      ["g = :p AND v = :n", { ...A, ":n": N(1) }, "Query key condition not supported", { IndexName: "Some" }],
    ])
      it(`${condition || "that is empty"}${more ? ` of the index ${more.IndexName}` : ""}`, () => fails(condition, values, sentence, more));
    it("of an empty partition key", () =>
      fails("p = :p", { ":p": S("") }, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"));
    it("of a partition key that is too long", () => fails("p = :p", { ":p": S("x".repeat(2049)) }, `${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`));
    it("of both kinds", () =>
      db.invalid("Query", { TableName: "Pairs", KeyConditionExpression: "p = :p", ExpressionAttributeValues: A, KeyConditions: { p: { ComparisonOperator: "EQ", AttributeValueList: [S("a")] } } },
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {KeyConditions} Expression parameters: {KeyConditionExpression}"));
    it("that is missing", () => db.invalid("Query", { TableName: "Pairs" }, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."));
  });

  describe("selects", () => {
    const ITEM = { p: S("a"), s: N(0), g: S("g"), h: N(0), l: S("l0"), v: N(0), w: S("w") };
    const KEYS = { p: S("a"), s: N(0), g: S("g"), h: N(0) };
    for (const [what, more, first] of [
      ["all attributes of a table", {}, ITEM],
      ["all attributes when told so", { Select: "ALL_ATTRIBUTES" }, ITEM],
      ["what is projected", { ProjectionExpression: "v" }, { v: N(0) }],
      ["what is projected, and says so", { ProjectionExpression: "v", Select: "SPECIFIC_ATTRIBUTES" }, { v: N(0) }],
      ["what a global index holds", { IndexName: "Keys" }, KEYS],
      ["what a global index holds, and says so", { IndexName: "Keys", Select: "ALL_PROJECTED_ATTRIBUTES" }, KEYS],
      ["what an index includes", { IndexName: "Some" }, { p: S("a"), s: N(0), g: S("g"), v: N(0) }, "unordered"],
      ["all attributes of an index that has them all", { IndexName: "Everything", Select: "ALL_ATTRIBUTES" }, ITEM, "unordered"],
      ["what a local index holds", { IndexName: "Local" }, { p: S("a"), s: N(0), l: S("l0") }],
      ["all attributes, past a local index", { IndexName: "Local", Select: "ALL_ATTRIBUTES" }, ITEM],
      ["what a local index does not hold", { IndexName: "Local", ProjectionExpression: "w, l" }, { w: S("w"), l: S("l0") }],
      ["the old way", { KeyConditionExpression: undefined, ExpressionAttributeValues: undefined, KeyConditions: { p: { ComparisonOperator: "EQ", AttributeValueList: [S("a")] } }, AttributesToGet: ["v"] }, { v: N(0) }],
    ])
      it(what, async () => {
        const global = more.IndexName && more.IndexName !== "Local";
        const { Items } = await db.ask("Query", input(global ? "g = :p" : "p = :p", { ":p": S(global ? "g" : "a") }, more));
        assert.equal(Items.length, 3);
        assert.deepEqual(Items.find((one) => JSON.stringify(one, Object.keys(one).sort()) === JSON.stringify(first, Object.keys(first).sort())) ?? Items[0], first);
      });
    it("nothing but the count", async () => assert.deepEqual(await db.ask("Query", input("p = :p", A, { Select: "COUNT" })), { Count: 3, ScannedCount: 3 }));
    for (const [what, more, sentence] of [
      ["projected attributes of a table", { Select: "ALL_PROJECTED_ATTRIBUTES" }, /ALL_PROJECTED_ATTRIBUTES/],
      ["specific attributes without naming any", { Select: "SPECIFIC_ATTRIBUTES" }, /SPECIFIC_ATTRIBUTES|ProjectionExpression|AttributesToGet/],
      ["a count of projected attributes", { Select: "COUNT", ProjectionExpression: "v" }, /ProjectionExpression/],
      ["all attributes and some", { Select: "ALL_ATTRIBUTES", ProjectionExpression: "v" }, /ProjectionExpression/],
      ["all attributes of an index that has some", { IndexName: "Some", Select: "ALL_ATTRIBUTES" }, `${P}Select type ALL_ATTRIBUTES is not supported for global secondary index Some because its projection type is not ALL`],
      ["what an index has not", { IndexName: "Some", ProjectionExpression: "w" }, `${P}Global secondary index Some does not project [w]`],
      ["a word that is none", { Select: "SOME" }, "1 validation error detected: Value 'SOME' at 'select' failed to satisfy constraint: Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"],
    ])
      it(`no ${what}`, () => fails(more.IndexName ? "g = :p" : "p = :p", A, sentence, more));
  });

  describe("begins a page", () => {
    const start = (ExclusiveStartKey, more = {}, condition = "p = :p", values = A) => [condition, values, { ExclusiveStartKey, ...more }];
    const indexStart = { g: S("g"), h: N(0), p: S("a"), s: N(0) };
    it("after its key", async () => {
      const { Items } = await db.ask("Query", input(...start({ p: S("a"), s: N("0.5") })));
      assert.deepEqual(Items.map((one) => one.s.N), ["1", "2"]);
    });
    it("where each partition is one item, after it", async () =>
      assert.deepEqual(await db.ask("Query", input(...start({ p: S("a") }, { TableName: "Single" }))), { Items: [], Count: 0, ScannedCount: 0 }));
    it("of an index after its key", async () => {
      const { Items } = await db.ask("Query", input(...start(indexStart, { IndexName: "Keys" }, "g = :p", { ":p": S("g") })));
      assert.deepEqual(Items.map((one) => one.h.N), ["1", "2"]);
    });
    for (const [what, [condition, values, more], sentence] of [
      ["with half a key", start({ p: S("a") }), /^The provided starting key is invalid/],
      ["with another attribute", start({ p: S("a"), s: N(0), v: N(0) }), /^The provided starting key is invalid/],
      ["with a key of another type", start({ p: S("a"), s: S("0") }), "The provided key element does not match the schema"],
      ["with a key that is too long", start({ p: S("x".repeat(2049)), s: N(0) }), `${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`],
      ["of an index with an index's key of another type", start({ ...indexStart, h: S("0") }, { IndexName: "Keys" }, "g = :p", { ":p": S("g") }), "The provided key element does not match the schema"],
      ["of an index without the index's key", start({ g: S("g"), v: N(0), p: S("a"), s: N(0) }, { IndexName: "Keys" }, "g = :p", { ":p": S("g") }), "The provided starting key is invalid"],
      ["of an index with a table's key of another type", start({ ...indexStart, s: S("0") }, { IndexName: "Keys" }, "g = :p", { ":p": S("g") }), "The provided starting key is invalid: The provided key element does not match the schema"],
      ["of an index with a table's key that is too long", start({ ...indexStart, p: S("x".repeat(2049)) }, { IndexName: "Keys" }, "g = :p", { ":p": S("g") }), `The provided starting key is invalid: ${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`],
      ["of an index with the table's key", start({ p: S("a"), s: N(0) }, { IndexName: "Keys" }, "g = :p", { ":p": S("g") }), /^The provided starting key is invalid/],
      ["of an index without the table's key", start({ g: S("g"), h: N(0) }, { IndexName: "Keys" }, "g = :p", { ":p": S("g") }), /^The provided starting key is invalid/],
      ["in another partition", start({ p: S("b"), s: N(0) }), "The provided starting key is outside query boundaries based on provided conditions"],
      ["before the range", start({ p: S("a"), s: N(0) }, {}, "p = :p AND s > :n", { ...A, ":n": N(1) }), "The provided starting key does not match the range key predicate"],
      ["in another partition, where each is one item", start({ p: S("b") }, { TableName: "Single" }), "The provided exclusive start key is invalid: ExclusiveStartKey: {p=AttributeValue: {S:b}}"],
      ["of an index in another partition", start({ ...indexStart, g: S("x") }, { IndexName: "Keys" }, "g = :p", { ":p": S("g") }), "The provided starting key is outside query boundaries based on provided conditions"],
      ["of an index in another partition and before the range", start({ ...indexStart, g: S("x") }, { IndexName: "Keys" }, "g = :p AND h > :n", { ":p": S("g"), ":n": N(0) }), "The provided starting key is outside query boundaries based on provided conditions"],
      ["of an index in another partition and within the range", start({ ...indexStart, g: S("x") }, { IndexName: "Keys" }, "g = :p AND h >= :n", { ":p": S("g"), ":n": N(0) }), "The query can return at most one row and cannot be restarted"],
      ["of an index in another partition, at the one row asked for", start({ ...indexStart, g: S("x") }, { IndexName: "Keys" }, "g = :p AND h = :n", { ":p": S("g"), ":n": N(0) }), "The query can return at most one row and cannot be restarted"],
      ["past the range, backward", start({ p: S("a"), s: N(2) }, { ScanIndexForward: false }, "p = :p AND s < :n", { ...A, ":n": N(1) }), "The provided starting key does not match the range key predicate"],
    ])
      it(`not ${what}`, () => fails(condition, values, sentence, more));
  });

  describe("refuses", () => {
    for (const [what, condition, values, more, sentence] of [
      ["a filter on the partition key", "p = :p", A, { FilterExpression: "p = :p" }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: p"],
      ["a filter on the sort key as the other side", "p = :p", A, { FilterExpression: "v > s" }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: s"],
      ["a filter on an index's key", "g = :p", A, { IndexName: "Keys", FilterExpression: "attribute_exists(h)" }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: h"],
      ["an index that is not there", "p = :p", A, { IndexName: "Nowhere" }, "The table does not have the specified index: Nowhere"],
      ["an index's name that is too short", "p = :p", A, { IndexName: "ab" }, /at 'indexName' failed to satisfy constraint: Member must have length greater than or equal to 3$/],
      ["a strong read of a global index", "g = :p", A, { IndexName: "Keys", ConsistentRead: true }, "Consistent reads are not supported on global secondary indexes"],
      ["a limit of 0", "p = :p", A, { Limit: 0 }, "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1"],
      ["a limit below 0", "p = :p", A, { Limit: -5 }, /at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1$/],
      ["a ConditionalOperator alone", "p = :p", A, { ConditionalOperator: "AND" }, /ConditionalOperator/],
    ])
      it(what, () => fails(condition, values, sentence, more));
    it("a filter on the key, the old way", () =>
      db.invalid("Query", { TableName: "Pairs", KeyConditions: { p: { ComparisonOperator: "EQ", AttributeValueList: [S("a")] } }, QueryFilter: { s: { ComparisonOperator: "EQ", AttributeValueList: [N(1)] } } },
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: s"));
    it("a table that is not there", () =>
      db.refuses("Query", input("p = :p", A, { TableName: "Missing" }), "ResourceNotFoundException", "Requested resource not found"));
    it("a wrong condition before a table that is not there", () => fails("", undefined, "Invalid KeyConditionExpression: The expression can not be empty;", { TableName: "Missing" }));
  });
  it("may filter an index by the table's key", async () => {
    const { Count } = await db.ask("Query", input("g = :p", { ":p": S("g"), ":n": N(1) }, { IndexName: "Keys", FilterExpression: "s = :n" }));
    assert.equal(Count, 1);
  });
  it("takes a key condition with its sides turned round", async () =>
    assert.equal((await db.ask("Query", input(":p = p AND :n > s", { ...A, ":n": N(2) }))).Count, 2));
  it("may read a local index strongly", async () => assert.equal((await db.ask("Query", input("p = :p", A, { IndexName: "Local", ConsistentRead: true }))).Count, 3));
  it("tells what an index consumed", async () => {
    const { ConsumedCapacity } = await db.ask("Query", input("g = :p", { ":p": S("g") }, { IndexName: "Keys", ReturnConsumedCapacity: "INDEXES" }));
    assert.equal(ConsumedCapacity.CapacityUnits, 0.5);
    assert.deepEqual(ConsumedCapacity.GlobalSecondaryIndexes, { Keys: { CapacityUnits: 0.5 } });
  });
  it("tells what a local index consumed, and what it fetched", async () => {
    const { ConsumedCapacity } = await db.ask("Query", input("p = :p", A, { IndexName: "Local", Select: "ALL_ATTRIBUTES", ReturnConsumedCapacity: "INDEXES" }));
    assert.equal(ConsumedCapacity.CapacityUnits, 0.5 + 3 * 0.5);
    assert.deepEqual(ConsumedCapacity.LocalSecondaryIndexes, { Local: { CapacityUnits: 0.5 } });
    assert.deepEqual(ConsumedCapacity.Table, { CapacityUnits: 1.5 });
  });
});

describe("Scan", () => {
  const db = useServer();
  before(async () => {
    await db.makeTable("Pairs", "N", { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [{ IndexName: "ByG", KeySchema: [HASH("g")], Projection: KEYS_ONLY }] } });
    for (let i = 0; i < 40; i++) await db.ask("PutItem", { TableName: "Pairs", Item: { p: S(`p${i % 8}`), s: N(i), v: N(i), ...(i % 4 === 0 && { g: S("g") }) } });
  });
  const scan = (more = {}) => db.ask("Scan", { TableName: "Pairs", ...more });

  it("gives everything", async () => assert.equal((await scan()).Count, 40));
  it("keeps each partition together and in order", async () => {
    const { Items } = await scan();
    const seen = [];
    for (const { p, s } of Items) {
      if (seen.at(-1)?.p !== p.S) {
        assert.ok(!seen.some((one) => one.p === p.S), `${p.S} comes twice`);
        seen.push({ p: p.S, s: -1 });
      }
      assert.ok(+s.N > seen.at(-1).s);
      seen.at(-1).s = +s.N;
    }
    assert.equal(seen.length, 8);
  });
  it("of an index gives what has its key", async () => assert.equal((await scan({ IndexName: "ByG" })).Count, 10));
  it("filters, also by keys", async () => assert.equal((await scan({ FilterExpression: "s < :n AND p = :p", ExpressionAttributeValues: { ":n": N(20), ":p": S("p1") } })).Count, 3));
  it("filters the old way", async () => assert.equal((await scan({ ScanFilter: { v: { ComparisonOperator: "LT", AttributeValueList: [N(20)] } } })).Count, 20));
  it("filters the old way by one of several", async () =>
    assert.equal((await scan({ ConditionalOperator: "OR", ScanFilter: { v: { ComparisonOperator: "LT", AttributeValueList: [N(1)] }, g: { ComparisonOperator: "NOT_NULL" } } })).Count, 10));
  it("counts", async () => assert.deepEqual(await scan({ Select: "COUNT", FilterExpression: "v < :n", ExpressionAttributeValues: { ":n": N(5) } }), { Count: 5, ScannedCount: 40 }));
  for (const TotalSegments of [1, 2, 5, 64, 1000])
    it(`in ${TotalSegments} segments gives everything once`, async () => {
      const parts = [];
      for (let from = 0; from < TotalSegments; from += 50)
        parts.push(...(await Promise.all(Array.from({ length: Math.min(50, TotalSegments - from) }, (_, i) => scan({ Segment: from + i, TotalSegments })))));
      assert.deepEqual(parts.flatMap((one) => one.Items.map((item) => +item.s.N)).sort((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i));
    });
  for (const [what, more, sentence] of [
    ["a segment without a total", { Segment: 0 }, "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"],
    ["a total without a segment", { TotalSegments: 2 }, "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"],
    ["a segment past the total", { Segment: 2, TotalSegments: 2 }, "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2"],
    ["a segment below 0", { Segment: -1, TotalSegments: 2 }, "1 validation error detected: Value '-1' at 'segment' failed to satisfy constraint: Member must have value greater than or equal to 0"],
    ["no segments", { Segment: 0, TotalSegments: 0 }, "1 validation error detected: Value '0' at 'totalSegments' failed to satisfy constraint: Member must have value greater than or equal to 1"],
    ["too many segments", { Segment: 0, TotalSegments: 1000001 }, "1 validation error detected: Value '1000001' at 'totalSegments' failed to satisfy constraint: Member must have value less than or equal to 1000000"],
    ["a limit of 0", { Limit: 0 }, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"],
    ["half a start", { ExclusiveStartKey: { p: S("a") } }, "The provided starting key is invalid: The provided key element does not match the schema"],
    ["a start with too much", { ExclusiveStartKey: { p: S("a"), s: N(1), v: N(1) } }, "The provided starting key is invalid: The provided key element does not match the schema"],
    ["a start that is too long", { ExclusiveStartKey: { p: S("x".repeat(2049)), s: N(1) } }, `The provided starting key is invalid: ${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`],
    ["an index that is not there", { IndexName: "Nowhere" }, "The table does not have the specified index: Nowhere"],
    ["a strong read of a global index", { IndexName: "ByG", ConsistentRead: true }, "Consistent reads are not supported on global secondary indexes"],
    ["both kinds of filters", { FilterExpression: "a = b", ScanFilter: { a: { ComparisonOperator: "NULL" } } }, "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {ScanFilter} Expression parameters: {FilterExpression}"],
  ])
    it(`refuses ${what}`, () => db.invalid("Scan", { TableName: "Pairs", ...more }, sentence));
  it("refuses a start from another segment", async () => {
    let other;
    for (let Segment = 0; !other; Segment++) other = (await scan({ Segment, TotalSegments: 16, Limit: 1 })).LastEvaluatedKey && { Segment, key: (await scan({ Segment, TotalSegments: 16, Limit: 1 })).LastEvaluatedKey };
    const Segment = (other.Segment + 1) % 16;
    await db.invalid("Scan", { TableName: "Pairs", Segment, TotalSegments: 16, ExclusiveStartKey: other.key },
      `The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 16 Segment: ${Segment}`);
  });
  it("does not know other tables", () => db.refuses("Scan", { TableName: "Missing" }, "ResourceNotFoundException", "Requested resource not found"));
});
