// SPDX-License-Identifier: MIT
// JSON of the wrong type, where each operation takes it.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { useServer } from "../lib/suite.js";

const SERIALIZATION = "com.amazon.coral.service#SerializationException";
const SHAPE = (name) => `com.amazonaws.dynamodb.v20120810.${name}`;
const STRUCTURE = (name) => `Unrecognized collection type class ${SHAPE(name)}`;
const MAP_OF = (name) => `Unrecognized collection type java.util.Map<java.lang.String, ${SHAPE(name)}>`;
const FIELD = "Unexpected field type", PAYLOAD = "Unexpected value type in payload", OBJECT = "Start of structure or map found where not expected";

describe("a wrong type", () => {
  const db = useServer();
  before(() => db.makeTable("Things"));
  const deep = (value) => ({ Item: { p: value } });

  for (const [call, body, sentence] of [
    // every scalar
    ["PutItem", { TableName: true }, "TRUE_VALUE cannot be converted to String"],
    ["PutItem", { TableName: false }, "FALSE_VALUE cannot be converted to String"],
    ["PutItem", { TableName: 7 }, "NUMBER_VALUE cannot be converted to String"],
    ["PutItem", { TableName: -7 }, "NUMBER_VALUE cannot be converted to String"],
    ["PutItem", { TableName: 0.5 }, "DECIMAL_VALUE cannot be converted to String"],
    ["PutItem", { TableName: [] }, "Unrecognized collection type class java.lang.String"],
    ["PutItem", { TableName: {} }, OBJECT],
    ["PutItem", { ReturnValues: 1 }, "NUMBER_VALUE cannot be converted to String"],
    ["PutItem", { ConditionExpression: [] }, "Unrecognized collection type class java.lang.String"],
    ["Scan", { Limit: "1" }, "STRING_VALUE cannot be converted to Integer"],
    ["Scan", { Limit: true }, "TRUE_VALUE cannot be converted to Integer"],
    ["Scan", { Limit: false }, "FALSE_VALUE cannot be converted to Integer"],
    ["Scan", { Limit: [] }, "Unrecognized collection type class java.lang.Integer"],
    ["Scan", { Limit: {} }, OBJECT],
    ["Scan", { Segment: "0" }, "STRING_VALUE cannot be converted to Integer"],
    ["Query", { ScanIndexForward: 1 }, "NUMBER_VALUE cannot be converted to Boolean"],
    ["Query", { ScanIndexForward: 1.5 }, "DECIMAL_VALUE cannot be converted to Boolean"],
    ["Query", { ScanIndexForward: "perhaps" }, "Unexpected token received from parser"],
    ["Query", { ScanIndexForward: [] }, "Unrecognized collection type class java.lang.Boolean"],
    ["Query", { ScanIndexForward: {} }, OBJECT],
    ["CreateTable", { ProvisionedThroughput: { ReadCapacityUnits: "1" } }, "STRING_VALUE cannot be converted to Long"],
    ["CreateTable", { ProvisionedThroughput: { WriteCapacityUnits: true } }, "TRUE_VALUE cannot be converted to Long"],
    ["CreateTable", { ProvisionedThroughput: { WriteCapacityUnits: [] } }, "Unrecognized collection type class java.lang.Long"],
    ["CreateTable", { ProvisionedThroughput: { WriteCapacityUnits: {} } }, OBJECT],
    // values
    ["PutItem", { Item: 5 }, FIELD],
    ["PutItem", { Item: "x" }, FIELD],
    ["PutItem", { Item: [] }, MAP_OF("AttributeValue")],
    ["PutItem", deep("x"), PAYLOAD],
    ["PutItem", deep(5), PAYLOAD],
    ["PutItem", deep([]), STRUCTURE("AttributeValue")],
    ["PutItem", deep({ S: 5 }), "NUMBER_VALUE cannot be converted to String"],
    ["PutItem", deep({ S: {} }), OBJECT],
    ["PutItem", deep({ S: [] }), "Unrecognized collection type class java.lang.String"],
    ["PutItem", deep({ N: 3 }), "NUMBER_VALUE cannot be converted to String"],
    ["PutItem", deep({ N: 3.5 }), "DECIMAL_VALUE cannot be converted to String"],
    ["PutItem", deep({ N: true }), "TRUE_VALUE cannot be converted to String"],
    ["PutItem", deep({ B: 5 }), "only base-64-encoded strings are convertible to bytes"],
    ["PutItem", deep({ B: false }), "only base-64-encoded strings are convertible to bytes"],
    ["PutItem", deep({ B: "a" }), "Base64 encoded length is expected a multiple of 4 bytes but found: 1"],
    ["PutItem", deep({ B: "abcde" }), "Base64 encoded length is expected a multiple of 4 bytes but found: 5"],
    ["PutItem", deep({ B: "YR==" }), "Invalid last non-pad Base64 character dectected"],
    ["PutItem", deep({ B: [] }), "Unrecognized collection type class java.nio.ByteBuffer"],
    ["PutItem", deep({ B: {} }), OBJECT],
    ["PutItem", deep({ BOOL: 1 }), "NUMBER_VALUE cannot be converted to Boolean"],
    ["PutItem", deep({ BOOL: "maybe" }), "Unexpected token received from parser"],
    ["PutItem", deep({ NULL: 0 }), "NUMBER_VALUE cannot be converted to Boolean"],
    ["PutItem", deep({ SS: "a" }), FIELD],
    ["PutItem", deep({ SS: {} }), OBJECT],
    ["PutItem", deep({ SS: [1] }), "NUMBER_VALUE cannot be converted to String"],
    ["PutItem", deep({ NS: [1] }), "NUMBER_VALUE cannot be converted to String"],
    ["PutItem", deep({ BS: [1] }), "only base-64-encoded strings are convertible to bytes"],
    ["PutItem", deep({ BS: ["abc"] }), "Base64 encoded length is expected a multiple of 4 bytes but found: 3"],
    ["PutItem", deep({ L: {} }), OBJECT],
    ["PutItem", deep({ L: "x" }), FIELD],
    ["PutItem", deep({ L: [5] }), PAYLOAD],
    ["PutItem", deep({ L: [[]] }), STRUCTURE("AttributeValue")],
    ["PutItem", deep({ L: [{ S: 1 }] }), "NUMBER_VALUE cannot be converted to String"],
    ["PutItem", deep({ M: [] }), MAP_OF("AttributeValue")],
    ["PutItem", deep({ M: "x" }), FIELD],
    ["PutItem", deep({ M: { a: "x" } }), PAYLOAD],
    ["PutItem", deep({ M: { a: { L: [{ M: { b: { N: 1 } } }] } } }), "NUMBER_VALUE cannot be converted to String"],
    // structures, lists and maps of each operation
    ["PutItem", { Expected: [] }, MAP_OF("ExpectedAttributeValue")],
    ["PutItem", { Expected: { a: 1 } }, PAYLOAD],
    ["PutItem", { Expected: { a: [] } }, STRUCTURE("ExpectedAttributeValue")],
    ["PutItem", { Expected: { a: { Exists: "maybe" } } }, "Unexpected token received from parser"],
    ["PutItem", { Expected: { a: { Value: "x" } } }, FIELD],
    ["PutItem", { Expected: { a: { AttributeValueList: {} } } }, OBJECT],
    ["PutItem", { Expected: { a: { AttributeValueList: ["x"] } } }, PAYLOAD],
    ["UpdateItem", { AttributeUpdates: [] }, MAP_OF("AttributeValueUpdate")],
    ["UpdateItem", { AttributeUpdates: { a: "x" } }, PAYLOAD],
    ["UpdateItem", { AttributeUpdates: { a: { Action: 1 } } }, "NUMBER_VALUE cannot be converted to String"],
    ["UpdateItem", { ExpressionAttributeValues: [] }, MAP_OF("AttributeValue")],
    ["UpdateItem", { ExpressionAttributeValues: { ":a": null } }, PAYLOAD],
    ["PutItem", { Expected: { a: { AttributeValueList: [null] } } }, PAYLOAD],
    ["UpdateItem", { ExpressionAttributeNames: { "#a": 1 } }, "NUMBER_VALUE cannot be converted to String"],
    ["DeleteItem", { Key: [] }, MAP_OF("AttributeValue")],
    ["Query", { KeyConditions: [] }, MAP_OF("Condition")],
    ["Query", { KeyConditions: { a: [] } }, STRUCTURE("Condition")],
    ["Query", { QueryFilter: { a: { ComparisonOperator: 1 } } }, "NUMBER_VALUE cannot be converted to String"],
    ["Scan", { ScanFilter: "x" }, FIELD],
    ["Scan", { ExclusiveStartKey: { a: 1 } }, PAYLOAD],
    ["BatchGetItem", { RequestItems: [] }, MAP_OF("KeysAndAttributes")],
    ["BatchGetItem", { RequestItems: { Things: [] } }, STRUCTURE("KeysAndAttributes")],
    ["BatchGetItem", { RequestItems: { Things: "x" } }, PAYLOAD],
    ["BatchGetItem", { RequestItems: { Things: { Keys: {} } } }, OBJECT],
    ["BatchGetItem", { RequestItems: { Things: { Keys: ["x"] } } }, undefined],
    ["BatchGetItem", { RequestItems: { Things: { Keys: [{ a: 1 }] } } }, PAYLOAD],
    ["BatchWriteItem", { RequestItems: { Things: [1] } }, PAYLOAD],
    ["BatchWriteItem", { RequestItems: { Things: [[]] } }, STRUCTURE("WriteRequest")],
    ["BatchWriteItem", { RequestItems: { Things: [{ PutRequest: [] }] } }, STRUCTURE("PutRequest")],
    ["BatchWriteItem", { RequestItems: { Things: [{ PutRequest: "x" }] } }, FIELD],
    ["BatchWriteItem", { RequestItems: { Things: [{ DeleteRequest: { Key: 1 } }] } }, FIELD],
    ["TransactWriteItems", { TransactItems: {} }, OBJECT],
    ["TransactWriteItems", { TransactItems: "x" }, FIELD],
    ["TransactWriteItems", { TransactItems: [1] }, PAYLOAD],
    ["TransactWriteItems", { TransactItems: [[]] }, STRUCTURE("TransactWriteItem")],
    ["TransactWriteItems", { TransactItems: [{ Put: [] }] }, STRUCTURE("Put")],
    ["TransactWriteItems", { TransactItems: [{ Update: { Key: [] } }] }, MAP_OF("AttributeValue")],
    ["TransactGetItems", { TransactItems: [{ Get: "x" }] }, FIELD],
    ["CreateTable", { AttributeDefinitions: {} }, OBJECT],
    ["CreateTable", { AttributeDefinitions: ["x"] }, PAYLOAD],
    ["CreateTable", { AttributeDefinitions: [[]] }, STRUCTURE("AttributeDefinition")],
    ["CreateTable", { KeySchema: "x" }, FIELD],
    ["CreateTable", { KeySchema: [{ AttributeName: 1 }] }, "NUMBER_VALUE cannot be converted to String"],
    ["CreateTable", { ProvisionedThroughput: "x" }, FIELD],
    ["CreateTable", { ProvisionedThroughput: [] }, STRUCTURE("ProvisionedThroughput")],
    ["CreateTable", { GlobalSecondaryIndexes: [{ Projection: [] }] }, STRUCTURE("Projection")],
    ["CreateTable", { GlobalSecondaryIndexes: [{ Projection: { NonKeyAttributes: "x" } }] }, FIELD],
    ["ListTables", { Limit: "5" }, "STRING_VALUE cannot be converted to Integer"],
    ["TagResource", { Tags: [{ Key: 1 }] }, "NUMBER_VALUE cannot be converted to String"],
    ["UpdateTimeToLive", { TimeToLiveSpecification: "x" }, FIELD],
    ["UpdateTimeToLive", { TimeToLiveSpecification: { Enabled: "perhaps" } }, "Unexpected token received from parser"],
    ["ExecuteStatement", { Parameters: "x" }, FIELD],
    ["ExecuteStatement", { Parameters: [1] }, PAYLOAD],
    ["BatchExecuteStatement", { Statements: [1] }, PAYLOAD],
    ["ExecuteTransaction", { TransactStatements: [{ Parameters: {} }] }, OBJECT],
  ])
    it(`of ${call} ${JSON.stringify(body)}`, async () => {
      const { status, json } = await db.post(call, body);
      assert.equal(status, 400);
      assert.equal(json.__type, SERIALIZATION, JSON.stringify(json));
      if (sentence) assert.deepEqual(json, { __type: SERIALIZATION, Message: sentence });
    });

  describe("is none:", () => {
    for (const [what, call, body, wanted] of [
      ["what nobody knows", "GetItem", { TableName: "Things", Key: { p: { S: "a" } }, Unknown: [1, { a: 2 }] }, {}],
      ["null for what may be absent", "GetItem", { TableName: "Things", Key: { p: { S: "a" } }, ConsistentRead: null, AttributesToGet: null, ProjectionExpression: null }, {}],
      ["yes", "GetItem", { TableName: "Things", Key: { p: { S: "a" } }, ConsistentRead: "YES" }, {}],
      ["0 in words", "GetItem", { TableName: "Things", Key: { p: { S: "a" } }, ConsistentRead: "0" }, {}],
      ["true in words", "GetItem", { TableName: "Things", Key: { p: { S: "a" } }, ConsistentRead: "True" }, {}],
      ["a fraction for a whole number", "Scan", { TableName: "Things", Limit: 2.9 }, { Items: [], Count: 0, ScannedCount: 0 }],
      ["a number with an exponent", "Scan", { TableName: "Things", Limit: 1e1 }, { Items: [], Count: 0, ScannedCount: 0 }],
    ])
      it(what, async () => {
        const { status, json } = await db.post(call, body);
        assert.deepEqual([status, json], [200, wanted]);
      });
    it("a member in another case, which is not there", async () => {
      const { json } = await db.post("GetItem", { tableName: "Things", Key: { p: { S: "a" } } });
      assert.equal(json.message, "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null");
    });
    it("null for what must be there, which is not there", async () => {
      const { json } = await db.post("GetItem", { TableName: null, Key: { p: { S: "a" } } });
      assert.equal(json.message, "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null");
    });
  });
});
