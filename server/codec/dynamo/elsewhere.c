/* SPDX-License-Identifier: MIT */
#include "codec/dynamo/arn.h"
#include "codec/dynamo/call.h"
#include "codec/dynamo/key_schema.h"
#include "codec/dynamo/params.h"
#include "codec/dynamo/settings.h"
#include "codec/dynamo/tags.h"
#include "model/json.h"

#define P           PL_DYNAMO_INVALID
#define NAME(bytes) (int)(bytes).len, (bytes).data

/*
 * What AWS has around a table, and a server of one's own has not: backups in its store, streams to Kinesis,
 * exports to S3, policies. Tools ask for all of it after creating a table, so they are told that there is none.
 */
static const struct pl_dynamo_shape nothing = { .kind = PL_DYNAMO_STRUCTURE, .name = "Input" };
static const struct pl_dynamo_member table_members[] = { { "TableName", &pl_dynamo_table_name, true } };
static const struct pl_dynamo_shape table_input = PL_DYNAMO_STRUCTURE_OF("Input", table_members);

static int say(struct pl_dynamo_request *request, const char *body)
{
    pl_buf_append_bytes(&request->body, pl_str(body));
    return 0;
}

/* ---- backups ---------------------------------------------------------------------------------------- */

/* There is such a table; if not, it is told as calls about backups tell it. */
static int check_table(struct pl_dynamo_request *request)
{
    struct pl_bytes name;
    int rc = pl_dynamo_take_table(request, pl_dynamo_get_text(request->input, "TableName"), &name);

    if (rc != 0 || pl_tables_find(request->context->tables, name) != NULL)
        return rc;
    return pl_dynamo_error(request, "TableNotFoundException", "Table not found: %.*s", NAME(name));
}

static int describe_continuous_backups(struct pl_dynamo_request *request)
{
    int rc = check_table(request);

    if (rc != 0)
        return rc;
    return say(request, "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":\"ENABLED\","
                        "\"PointInTimeRecoveryDescription\":{\"PointInTimeRecoveryStatus\":\"DISABLED\"}}}");
}

const struct pl_dynamo_call pl_dynamo_describe_continuous_backups = { .name = "DescribeContinuousBackups",
                                                                      .input = &table_input,
                                                                      .begin = describe_continuous_backups };

static const struct pl_dynamo_shape days = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .max = 35
};
static const struct pl_dynamo_member recovery_members[] = {
    { "PointInTimeRecoveryEnabled", &pl_dynamo_boolean, true },
    { "RecoveryPeriodInDays", &days, false },
};
static const struct pl_dynamo_shape recovery =
    PL_DYNAMO_STRUCTURE_OF("PointInTimeRecoverySpecification", recovery_members);
static const struct pl_dynamo_member update_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "PointInTimeRecoverySpecification", &recovery, true },
};
static const struct pl_dynamo_shape update_input =
    PL_DYNAMO_STRUCTURE_OF("UpdateContinuousBackupsInput", update_members);

static int update_continuous_backups(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *asked = pl_dynamo_get(request->input, "PointInTimeRecoverySpecification");
    bool enables = pl_dynamo_get_bool(asked, "PointInTimeRecoveryEnabled");
    int rc;

    if (!enables && pl_dynamo_get(asked, "RecoveryPeriodInDays") != NULL)
        return pl_dynamo_invalid(request,
                                 "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling "
                                 "point-in-time recovery.");
    if (!enables)
        return describe_continuous_backups(request);
    rc = check_table(request);
    return rc != 0 ? rc
                   : pl_dynamo_error(request, "ContinuousBackupsUnavailableException",
                                     "Backups are not available in this region");
}

const struct pl_dynamo_call pl_dynamo_update_continuous_backups = { .name = "UpdateContinuousBackups",
                                                                    .input = &update_input,
                                                                    .begin = update_continuous_backups };

static const struct pl_dynamo_member backup_members[] = { { "BackupArn", &pl_dynamo_string, true } };
static const struct pl_dynamo_shape backup_input = PL_DYNAMO_STRUCTURE_OF("Input", backup_members);

/* `<table's ARN>/backup/<id>` */
static bool is_backup(struct pl_bytes arn)
{
    static const char mark[] = "/backup/";
    const char *at = memmem(arn.data, arn.len, mark, sizeof mark - 1);
    struct pl_bytes table;

    return at != NULL && at + sizeof mark - 1 < arn.data + arn.len &&
           pl_dynamo_arn_table(pl_bytes(arn.data, (size_t)(at - arn.data)), &table);
}

static int refuse_backup(struct pl_dynamo_request *request)
{
    if (!is_backup(pl_dynamo_get_text(request->input, "BackupArn")))
        return pl_dynamo_invalid(request, "Invalid Backup ARN");
    return pl_dynamo_error(request, "BackupNotFoundException", "Backup not found: %.*s",
                           NAME(pl_dynamo_get_text(request->input, "BackupArn")));
}

const struct pl_dynamo_call pl_dynamo_describe_backup = { .name = "DescribeBackup",
                                                          .input = &backup_input,
                                                          .begin = refuse_backup };
const struct pl_dynamo_call pl_dynamo_delete_backup = { .name = "DeleteBackup",
                                                        .input = &backup_input,
                                                        .begin = refuse_backup };

static const struct pl_dynamo_shape limit = {
    .kind = PL_DYNAMO_INTEGER, .has_min = true, .min = 1, .max = 100
};
static const char *const backup_types[] = { "USER", "SYSTEM", "AWS_BACKUP", "ALL", NULL };
static const struct pl_dynamo_shape backup_type = { .kind = PL_DYNAMO_STRING, .words = backup_types };
static const struct pl_dynamo_member list_backups_members[] = {
    { "TableName", &pl_dynamo_table_name, false },
    { "Limit", &limit, false },
    { "TimeRangeLowerBound", &pl_dynamo_timestamp, false },
    { "TimeRangeUpperBound", &pl_dynamo_timestamp, false },
    { "ExclusiveStartBackupArn", &pl_dynamo_string, false },
    { "BackupType", &backup_type, false },
};
static const struct pl_dynamo_shape list_backups_input =
    PL_DYNAMO_STRUCTURE_OF("ListBackupsInput", list_backups_members);

static int list_backups(struct pl_dynamo_request *request)
{
    const struct pl_dynamo_node *from = pl_dynamo_get(request->input, "TimeRangeLowerBound");
    const struct pl_dynamo_node *to = pl_dynamo_get(request->input, "TimeRangeUpperBound");

    if (from != NULL && to != NULL && from->number > to->number)
        return pl_dynamo_invalid(request,
                                 P "Time range lower bound must be less than or equal to upper bound");
    return say(request, "{\"BackupSummaries\":[]}");
}

const struct pl_dynamo_call pl_dynamo_list_backups = { .name = "ListBackups",
                                                       .input = &list_backups_input,
                                                       .begin = list_backups };

/* ---- lists with nothing in them --------------------------------------------------------------------- */

static int list_exports(struct pl_dynamo_request *request)
{
    return say(request, "{\"ExportSummaries\":[]}");
}

static int list_imports(struct pl_dynamo_request *request)
{
    return say(request, "{\"ImportSummaryList\":[]}");
}

static int list_global_tables(struct pl_dynamo_request *request)
{
    return say(request, "{\"GlobalTables\":[]}");
}

const struct pl_dynamo_call pl_dynamo_list_exports = { .name = "ListExports",
                                                       .input = &nothing,
                                                       .begin = list_exports };
const struct pl_dynamo_call pl_dynamo_list_imports = { .name = "ListImports",
                                                       .input = &nothing,
                                                       .begin = list_imports };
const struct pl_dynamo_call pl_dynamo_list_global_tables = { .name = "ListGlobalTables",
                                                             .input = &nothing,
                                                             .begin = list_global_tables };

/* ---- around one table ------------------------------------------------------------------------------- */

static int describe_kinesis(struct pl_dynamo_request *request)
{
    const struct pl_table *table;
    int rc = pl_dynamo_find_table(request, &table);

    if (rc != 0)
        return rc;
    pl_buf_append_bytes(&request->body, pl_str("{\"TableName\":"));
    pl_json_write_string(&request->body, table->name);
    return say(request, ",\"KinesisDataStreamDestinations\":[]}");
}

const struct pl_dynamo_call pl_dynamo_describe_kinesis_streaming_destination = {
    .name = "DescribeKinesisStreamingDestination", .input = &table_input, .begin = describe_kinesis
};

static const struct pl_dynamo_member insights_members[] = {
    { "TableName", &pl_dynamo_table_name, true },
    { "IndexName", &pl_dynamo_index_name, false },
};
static const struct pl_dynamo_shape insights_input = PL_DYNAMO_STRUCTURE_OF("Input", insights_members);

static bool has_global_index(const struct pl_table *table, struct pl_bytes name)
{
    const struct pl_index *index = pl_table_index(table, name);

    return index != NULL && index->global;
}

static int describe_contributor_insights(struct pl_dynamo_request *request)
{
    struct pl_bytes index = pl_dynamo_get_text(request->input, "IndexName");
    const struct pl_table *table;
    int rc = pl_dynamo_find_table(request, &table);

    if (rc == 0 && index.data != NULL && !has_global_index(table, index))
        rc = pl_dynamo_error(request, "ResourceNotFoundException",
                             "Requested resource not found: Index: %.*s not found for table: %.*s",
                             NAME(index), NAME(table->name));
    if (rc != 0)
        return rc;
    pl_buf_append_bytes(&request->body, pl_str("{\"TableName\":"));
    pl_json_write_string(&request->body, table->name);
    if (index.data != NULL) {
        pl_buf_append_bytes(&request->body, pl_str(",\"IndexName\":"));
        pl_json_write_string(&request->body, index);
    }
    return say(request, ",\"ContributorInsightsStatus\":\"DISABLED\"}");
}

const struct pl_dynamo_call pl_dynamo_describe_contributor_insights = {
    .name = "DescribeContributorInsights", .input = &insights_input, .begin = describe_contributor_insights
};

static const struct pl_dynamo_member list_insights_members[] = { { "TableName", &pl_dynamo_table_name,
                                                                   false } };
static const struct pl_dynamo_shape list_insights_input =
    PL_DYNAMO_STRUCTURE_OF("Input", list_insights_members);

static int list_contributor_insights(struct pl_dynamo_request *request)
{
    const struct pl_table *table;
    int rc = pl_dynamo_get(request->input, "TableName") != NULL ? pl_dynamo_find_table(request, &table) : 0;

    return rc != 0 ? rc : say(request, "{\"ContributorInsightsSummaries\":[]}");
}

const struct pl_dynamo_call pl_dynamo_list_contributor_insights = { .name = "ListContributorInsights",
                                                                    .input = &list_insights_input,
                                                                    .begin = list_contributor_insights };

static const struct pl_dynamo_member policy_members[] = { { "ResourceArn", &pl_dynamo_resource_arn, true } };
static const struct pl_dynamo_shape policy_input = PL_DYNAMO_STRUCTURE_OF("Input", policy_members);

static int get_resource_policy(struct pl_dynamo_request *request)
{
    const struct pl_table *table;
    int rc = pl_dynamo_find_resource(request, &table);

    if (rc != 0)
        return rc;
    return pl_dynamo_error(request, "PolicyNotFoundException",
                           "Resource-based policy not found for the provided ResourceArn: %.*s",
                           NAME(pl_dynamo_get_text(request->input, "ResourceArn")));
}

const struct pl_dynamo_call pl_dynamo_get_resource_policy = { .name = "GetResourcePolicy",
                                                              .input = &policy_input,
                                                              .begin = get_resource_policy };
