using System.Text;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>What an address by a unique value leads to.</summary>
/// <param name="Rule">The rule, which has one member.</param>
/// <param name="Value">The value in each form that its text may stand for.</param>
/// <param name="Found">The live resources that have it, each with the form: a text comes before what is spelt like it.</param>
public sealed record KeyedResources(
    UniqueRule Rule,
    HeldValue Value,
    IReadOnlyList<(byte[] Value, Guid Resource)> Found
)
{
    /// <summary>The resource that the address means; null where none has the value.</summary>
    public Guid? First => Found is [var (_, first), ..] ? first : null;

    /// <summary>The resource that has the same value as another one would have; null where none has.</summary>
    public Guid? Like(Resource resource) =>
        ValueOf(resource) is { } own
            ? Found.Where(one => Equal(one.Value, own)).Select(one => (Guid?)one.Resource).FirstOrDefault()
            : null;

    /// <summary>Whether a resource would have the value.</summary>
    public bool Fits(Resource resource) => ValueOf(resource) is { } own && Value.Values.Any(one => Equal(one, own));

    byte[]? ValueOf(Resource resource) =>
        UniqueValue.Of(Rule, [resource.ValueAt(new(Rule.Members[0]), resource.Metadata.ToElement())]);

    static bool Equal(byte[] one, byte[] other) => one.AsSpan().SequenceEqual(other);
}

/// <summary>
/// Finds resources by their unique values. What it finds is of the moment: a command says which value it was found by.
/// </summary>
public sealed class TypeKeys(TypeBook types, ReadsDb db)
{
    /// <summary>
    /// What an address leads to by the rules of today; null where the caller sees no such type, or it has no such rule of
    /// one member.
    /// </summary>
    public async Task<KeyedResources?> FindAsync(
        Caller caller,
        string type,
        string name,
        string value,
        CancellationToken ct
    )
    {
        if (!Slug.IsValid(type) || !TypeDoor.Sees(caller, type))
            return null;
        var rules = await types.RefreshAsync(type);
        var rule = rules.InForce?.Definition.Unique.FirstOrDefault(rule => rule.Name == name);
        if (rule is not { Members: [_] })
            return null;
        var number = rules.InForce!.Fields[name];
        byte[][] forms = [.. Forms(value).Select(form => UniqueValue.Of(rule, [form])!)];
        var found = await db.QueryAsync(
            """
            select value, resource from unique_claims where scope = $1 and rule = $2 and value = any ($3)
            order by array_position($3, value)
            """,
            [Arg.Of(rules.Fence.Stream), Arg.Of(number), Arg.Bytes(forms)],
            reader => (reader.GetFieldValue<byte[]>(0), reader.GetGuid(1)),
            ct
        );
        return new(rule, new(number, forms), found);
    }

    /// <summary>The resource that a command was for when it came first; null where nobody remembers any.</summary>
    public async Task<Guid?> RecallAsync(Guid command, CancellationToken ct) =>
        (
            await db.QueryAsync(
                "select resource from keyed_commands where command_id = $1",
                [Arg.Of(command)],
                reader => (Guid?)reader.GetGuid(0),
                ct
            )
        ).FirstOrDefault();

    /// <summary>Remembers which resource a command is for, so that a repetition is for the same one.</summary>
    public Task RememberAsync(Guid command, Guid resource, CancellationToken ct) =>
        db.ExecuteAsync(
            """
            insert into keyed_commands (command_id, resource) values ($1, $2)
            on conflict (command_id) do update set resource = excluded.resource where keyed_commands.resource <> excluded.resource
            """,
            [Arg.Of(command), Arg.Of(resource)],
            ct
        );

    /// <summary>What a text in an address may stand for: itself, a number, or a truth value.</summary>
    static IEnumerable<JsonElement?> Forms(string value)
    {
        yield return JsonSerializer.SerializeToElement(value);
        using var document = StrictJson.Read(Encoding.UTF8.GetBytes(value), []);
        if (document?.RootElement.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            yield return document.RootElement.Clone();
    }
}
