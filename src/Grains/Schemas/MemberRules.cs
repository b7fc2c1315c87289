using System.Text;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>What a subschema says of members by name: their schemas, and which are required.</summary>
internal sealed class MemberRules
{
    readonly Dictionary<byte[], MemberRule> rules = new(Utf8Names.Instance);
    readonly Dictionary<byte[], MemberRule>.AlternateLookup<ReadOnlySpan<byte>> byUtf8;

    (MemberRule Rule, JsonElement Content)[]? defaults;

    public MemberRules() => byUtf8 = rules.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>Whether anything is said of any member.</summary>
    public bool Any => rules.Count > 0;

    /// <summary>How many members are required.</summary>
    public int RequiredCount { get; private set; }

    /// <summary>The members that are named, in no order.</summary>
    public IEnumerable<MemberRule> All => rules.Values;

    /// <summary>The members that have a default. All references have to be followed before.</summary>
    public (MemberRule Rule, JsonElement Content)[] Defaults =>
        defaults ??= [
            .. from rule in rules.Values
            let content = DefaultOf(rule.Schema)
            where content is not null
            select (rule, content.Value),
        ];

    /// <summary>Forgets the defaults that are not valid themselves: they say nothing of a member that is absent.</summary>
    public void KeepDefaults(Func<SchemaNode, JsonElement, bool> isValid)
    {
        if (Defaults is not [])
            defaults = [.. Defaults.Where(one => isValid(one.Rule.Schema!, one.Content))];
    }

    /// <summary>The rule of a member, or null.</summary>
    public MemberRule? Of(ReadOnlySpan<byte> name) => byUtf8.TryGetValue(name, out var rule) ? rule : null;

    /// <summary>The rule of a member, or null.</summary>
    public MemberRule? Of(string name) => rules.GetValueOrDefault(Encoding.UTF8.GetBytes(name));

    public void Describe(string name, SchemaNode schema) => Rule(name).Schema = schema;

    public void Require(string name)
    {
        var rule = Rule(name);
        RequiredCount += rule.IsRequired ? 0 : 1;
        rule.IsRequired = true;
    }

    /// <summary>The default of a member: its own, or that of a schema that it is a reference to.</summary>
    static JsonElement? DefaultOf(SchemaNode? schema)
    {
        for (; schema is not null; schema = schema.Ref)
            if (schema.Default is { } content)
                return content;
        return null;
    }

    MemberRule Rule(string name)
    {
        var key = Encoding.UTF8.GetBytes(name);
        return rules.TryGetValue(key, out var rule) ? rule : rules[key] = new(name);
    }

    sealed class Utf8Names : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly Utf8Names Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        // With a seed of the process: whoever writes a schema would find names that collide otherwise.
        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}

/// <summary>What a subschema says of one member.</summary>
internal sealed class MemberRule(string name)
{
    public string Name { get; } = name;
    public SchemaNode? Schema { get; set; }
    public bool IsRequired { get; set; }
}
