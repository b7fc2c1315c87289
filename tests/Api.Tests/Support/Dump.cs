using System.Text;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>A whole database as text: every row of every table, with bytes as hexadecimal.</summary>
static class Dump
{
    public static async Task<string> OfAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        var tables = new List<string>();
        await using (
            var list = source.CreateCommand(
                "select quote_ident(table_schema) || '.' || quote_ident(table_name) from "
                    + "information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
            )
        )
        await using (var row = await list.ExecuteReaderAsync())
            while (await row.ReadAsync())
                tables.Add(row.GetString(0));
        Assert.Contains("public.vault", tables);
        var text = new StringBuilder();
        foreach (var table in tables)
        {
            await using var rows = source.CreateCommand($"select t::text from {table} t");
            await using var row = await rows.ExecuteReaderAsync();
            while (await row.ReadAsync())
                text.AppendLine(row.GetString(0));
        }
        return text.ToString();
    }
}
