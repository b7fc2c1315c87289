using System.Text;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Short ways to write schemas in tests. All text comes in as a body would.</summary>
internal static class TestSchema
{
    /// <summary>The schema of a text that has no faults.</summary>
    public static Schema Of(string json)
    {
        var faults = new List<Fault>();
        var schema = Compile(json, faults);
        Assert.True(schema is not null, TestJson.Summary(faults));
        return schema;
    }

    /// <summary>The schema of a text; null where it has faults.</summary>
    public static Schema? Try(string json) => Compile(json, []);

    /// <summary>The faults of a schema as "pointer CODE", in order.</summary>
    public static string Faults(string json)
    {
        var faults = new List<Fault>();
        var schema = Compile(json, faults);
        Assert.Equal(faults.Count is 0, schema is not null);
        return TestJson.Summary(faults);
    }

    /// <summary>The faults of a value as "pointer CODE", in order.</summary>
    public static string Faults(this Schema schema, string value, bool lenient = false)
    {
        var faults = new List<Fault>();
        using var document = StrictJson.Read(Encoding.UTF8.GetBytes(value), faults)!;
        Assert.Equal(schema.Check(document.RootElement, "", faults, lenient), faults.Count is 0);
        return TestJson.Summary(faults);
    }

    /// <summary>Whether a schema accepts a value.</summary>
    public static bool Accepts(this Schema schema, string value)
    {
        var accepts = schema.Accepts(TestJson.Parse(value));
        Assert.Equal(accepts, schema.Faults(value).Length is 0);
        return accepts;
    }

    /// <summary>Sees that a schema accepts and refuses values, which are separated by spaces.</summary>
    public static void Takes(string schema, string accepted, string refused)
    {
        var compiled = Of(schema);
        Assert.All(Values(accepted), value => Assert.True(compiled.Accepts(value), value));
        Assert.All(Values(refused), value => Assert.False(compiled.Accepts(value), value));
    }

    static string[] Values(string values) => values.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    static Schema? Compile(string json, List<Fault> faults)
    {
        using var document = StrictJson.Read(Encoding.UTF8.GetBytes(json), faults);
        return document is null ? null : Schema.Compile(document.RootElement, "", faults);
    }
}
