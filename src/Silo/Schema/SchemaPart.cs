using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;

namespace Resources.Silo;

/// <summary>
/// A part of the schema. It is applied to a database once, and recorded there by its name and the checksum of its text.
/// </summary>
public abstract class SchemaPart(string name, string text)
{
    public string Name { get; } = name;

    /// <summary>SHA-256 of the text. Line ends do not count, as Git may have changed them.</summary>
    public string Checksum { get; } = ChecksumOf(text);

    /// <summary>
    /// Whether the part runs outside of transactions, statement by statement, as <c>create index concurrently</c> has to. It
    /// may be broken off after any of them, and begins anew.
    /// </summary>
    public virtual bool IsConcurrent => false;

    protected string Text { get; } = text;

    /// <summary>Applies the part, within the transaction that also records it unless it is concurrent.</summary>
    public abstract Task ApplyAsync(NpgsqlConnection connection, CancellationToken ct);

    protected static string ChecksumOf(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n"))));
}

/// <summary>A numbered SQL script, which an assembly has as an embedded resource <c>NNN_name.sql</c>.</summary>
public sealed partial class SchemaScript(string name, string text) : SchemaPart(name, text)
{
    static readonly Assembly Product = typeof(SchemaScript).Assembly;

    /// <summary>
    /// The scripts of the product by their numbers, then those of each other assembly by theirs. The latter carry the
    /// name of their assembly, so that two features may use one number.
    /// </summary>
    public static IReadOnlyList<SchemaScript> Of(IEnumerable<Assembly> others) =>
        [
            .. from assembly in others.Prepend(Product).Distinct()
            from script in In(assembly).OrderBy(script => script.Name, StringComparer.Ordinal)
            select script,
        ];

    /// <inheritdoc/>
    /// <remarks>Its first line is <c>-- concurrently</c>, and each of its statements is one line.</remarks>
    public override bool IsConcurrent { get; } = text.StartsWith("-- concurrently", StringComparison.Ordinal);

    public override async Task ApplyAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (!IsConcurrent)
        {
            await ExecuteAsync(connection, Text, ct);
            return;
        }
        foreach (
            var statement in Text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        )
            if (!statement.StartsWith("--", StringComparison.Ordinal))
                if (IndexName().Match(statement) is { Success: true } index)
                    await BuildAsync(connection, index.Value, statement, ct);
                else
                    await ExecuteAsync(connection, statement, ct);
    }

    /// <summary>
    /// Builds an index unless it is there: even a statement that finds it would wait for a vacuum, or break it off. An index
    /// whose building was broken off is there too, and never used.
    /// </summary>
    static async Task BuildAsync(NpgsqlConnection connection, string index, string statement, CancellationToken ct)
    {
        await using var look = new NpgsqlCommand(
            "select indisvalid from pg_index where indexrelid = to_regclass($1)",
            connection
        );
        look.Parameters.Add(new() { Value = index });
        var isValid = await look.ExecuteScalarAsync(ct);
        if (isValid is true)
            return;
        if (isValid is false)
            await ExecuteAsync(connection, $"drop index concurrently {index}", ct);
        await ExecuteAsync(connection, statement, ct);
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        // No time-out of its own: an index over a large table may take long, and the token still ends it.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    static IEnumerable<SchemaScript> In(Assembly assembly)
    {
        var prefix = assembly == Product ? "" : assembly.GetName().Name + "/";
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (FileName().Match(resource) is not { Success: true } file)
                continue;
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return new(prefix + file.Value, reader.ReadToEnd());
        }
    }

    [GeneratedRegex(@"(?<=^create index concurrently if not exists )\w+")]
    private static partial Regex IndexName();

    /// <summary>The name of a resource may begin with a namespace and folders.</summary>
    [GeneratedRegex(@"(?<=^|[./\\])\d{3}_\w+\.sql$")]
    private static partial Regex FileName();
}
