using System.Text;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>What an address by a unique value leads to.</summary>
/// <param name="Rule">The rule in force, which has one member.</param>
/// <param name="OfNewForm">That of resources of the new form, while a migration is under way; else null.</param>
/// <param name="Value">The value in each form that its text may stand for.</param>
/// <param name="Found">The live resources that have it, each with the form: a text comes before what is spelt like it.</param>
public sealed record KeyedResources(
    UniqueRule Rule,
    UniqueRule? OfNewForm,
    HeldValue Value,
    IReadOnlyList<(byte[] Value, Guid Resource)> Found
)
{
    /// <summary>The resource that the address means; null where none has the value.</summary>
    public Guid? First => Found is [var (_, first), ..] ? first : null;

    /// <summary>The resource that has the same value as another one would have; null where none has.</summary>
    public Guid? Like(Resource resource)
    {
        var own = ValuesOf(resource);
        return Found
            .Where(one => own.Any(value => Equal(one.Value, value)))
            .Select(one => (Guid?)one.Resource)
            .FirstOrDefault();
    }

    /// <summary>Whether a resource would have the value.</summary>
    public bool Fits(Resource resource)
    {
        byte[][] asked = [.. Value.Values, .. Value.OfNewForm?.Values ?? []];
        return ValuesOf(resource).Any(value => asked.Any(one => Equal(one, value)));
    }

    /// <summary>Whether it was found by the same rules.</summary>
    public bool IsByRulesOf(KeyedResources other) =>
        Value.Rule == other.Value.Rule && Value.OfNewForm?.Rule == other.Value.OfNewForm?.Rule;

    /// <summary>The values that a resource would have, in the form that it has.</summary>
    byte[][] ValuesOf(Resource resource) =>
        [
            .. new[] { Rule, OfNewForm }
                .OfType<UniqueRule>()
                .Select(rule =>
                    UniqueValue.Of(rule, [resource.ValueAt(new(rule.Members[0]), resource.Metadata.ToElement())])
                )
                .OfType<byte[]>(),
        ];

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
        if (RuleIn(rules.InForce, name) is not { } rule)
            return null;
        var ofNew = rules.Begun is null ? null : RuleIn(rules.Proposed, name);
        JsonElement?[] forms = [.. Forms(value)];
        HeldValue Held(RuledForm form, UniqueRule rule) =>
            new(form.Fields[name], Array.ConvertAll(forms, form => UniqueValue.Of(rule, [form])!));
        var held = Held(rules.InForce!, rule) with { OfNewForm = ofNew is null ? null : Held(rules.Proposed!, ofNew) };
        (int Rule, byte[] Value)[] asked =
        [
            .. forms.SelectMany(
                (_, n) => new[] { held, held.OfNewForm }.OfType<HeldValue>().Select(one => (one.Rule, one.Values[n]))
            ),
        ];
        var found = await db.QueryAsync(
            """
            select c.value, c.resource from unnest($2, $3) with ordinality asked(rule, value, n)
            join unique_claims c on c.scope = $1 and c.rule = asked.rule and c.value = asked.value order by asked.n
            """,
            [
                Arg.Of(rules.Fence.Stream),
                Arg.Of(Array.ConvertAll(asked, one => one.Rule)),
                Arg.Bytes(Array.ConvertAll(asked, one => one.Value)),
            ],
            reader => (reader.GetFieldValue<byte[]>(0), reader.GetGuid(1)),
            ct
        );
        return new(rule, ofNew, held, found);
    }

    static UniqueRule? RuleIn(RuledForm? form, string name) =>
        form?.Definition.Unique.FirstOrDefault(rule => rule.Name == name && rule.Members is [_]);

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
