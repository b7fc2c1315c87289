using System.Text.Json;
using Npgsql;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>What PostgreSQL does for a query.</summary>
static class QueryPlan
{
    /// <summary>The plan, and how many rows its scans of resources and of their indexes read.</summary>
    public static async Task<(string Plan, double Scanned)> ExplainAsync(
        Db db,
        Func<NpgsqlParameterCollection, string> write
    )
    {
        await using var connection = await db.OpenAsync(default);
        await using var command = connection.CreateCommand();
        command.CommandText = "explain (analyze, format json) " + write(command.Parameters);
        return await ReadAsync(command);
    }

    /// <summary>The plan that a command explains, and how many rows its scans read.</summary>
    public static async Task<(string Plan, double Scanned)> ReadAsync(NpgsqlCommand command)
    {
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync())!);
        var lines = new List<string> { $"{plan.RootElement[0].GetProperty("Execution Time").GetDouble():F1} ms" };
        var scanned = 0d;
        Walk(plan.RootElement[0].GetProperty("Plan"), 0, lines, ref scanned);
        return (string.Join('\n', lines), scanned);
    }

    static void Walk(JsonElement node, int depth, List<string> lines, ref double scanned)
    {
        string Text(string name) => node.TryGetProperty(name, out var value) ? $"{value}" : "";
        double Number(string name) => node.TryGetProperty(name, out var value) ? value.GetDouble() : 0;
        var seen =
            (Number("Actual Rows") + Number("Rows Removed by Filter") + Number("Rows Removed by Index Recheck"))
            * Number("Actual Loops");
        if (
            Text("Relation Name").StartsWith("resource_views", StringComparison.Ordinal)
            || Text("Relation Name").StartsWith("resource_index_", StringComparison.Ordinal)
        )
            scanned += seen;
        lines.Add(
            $"{new string(' ', 2 * depth)}{Text("Node Type")} on {Text("Relation Name")} "
                + $"{Text("Index Name")} rows {seen} {Text("Index Cond")} {Text("Filter")}"
        );
        if (node.TryGetProperty("Plans", out var inner))
            foreach (var child in inner.EnumerateArray())
                Walk(child, depth + 1, lines, ref scanned);
    }
}
