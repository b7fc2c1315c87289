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

    protected string Text { get; } = text;

    /// <summary>Applies the part within the transaction that also records it.</summary>
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

    public override async Task ApplyAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // No time-out of its own: an index over a large table may take long, and the token still ends it.
        await using var command = new NpgsqlCommand(Text, connection) { CommandTimeout = 0 };
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

    /// <summary>The name of a resource may begin with a namespace and folders.</summary>
    [GeneratedRegex(@"(?<=^|[./\\])\d{3}_\w+\.sql$")]
    private static partial Regex FileName();
}
