using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Resources.Tests;

/// <summary>
/// Random resources with few distinct values, and random filters over the same values, so that many match.
/// </summary>
public sealed class FilterGenerator(int seed)
{
    static readonly string[] Keys =
    [
        "a",
        "b",
        "c",
        "a",
        "b",
        "c",
        "odd key",
        "",
        "AND",
        "é",
        "x.y",
        "t*r",
        "0",
        "quo\"te",
        "back\\slash",
        "😀",
        "it's",
        "a!b",
        "$",
    ];

    static readonly string[] Texts =
    [
        "",
        "x",
        "xy",
        "X",
        "x*y",
        "x%y",
        "x_y",
        "xyx",
        "x y",
        "xy\nx",
        "x\n",
        "\n",
        "a\"b",
        "back\\slash",
        "x\\*y",
        "é",
        "e\u0301",
        "😀",
        "😀x",
        "\uFF5E",
        "\uE000z",
        "true",
        "null",
        "5",
        "-5",
        "(x)",
        "'q'",
        "AND",
        "*",
        "**",
        ".",
        "x.y",
        "^x$",
        "[x]{2}|(y)+?",
        "x\ty",
        "\u0001",
        "Übermut",
        "über den Fluß",
        "Die Räuber 1781",
        "𝒜𐐀 math",
        "مرحبا",
        "prefix prefixes",
    ];

    static readonly string[] Names =
    [
        .. Texts,
        "Faust",
        "FAUST II",
        "Fausto",
        "Goethe's Faust",
        "Goethe, Wolfgang",
        "Urfaust",
        "naïve café",
        "50% off_x",
        new string('w', 70) + " end",
    ];
    static readonly string[] Numbers =
    [
        "0",
        "-0",
        "1",
        "1.0",
        "1e0",
        "10E-1",
        "-1.5",
        "9.5",
        "9.50",
        "95e-1",
        "0.1",
        "0.1000000000000000055",
        "9007199254740993",
        "9007199254740992",
        "1e300",
        "1E+300",
        "-5",
        "5",
        "5e-324",
    ];
    static readonly string[] Phrases =
    [
        "fau",
        "Faust",
        "FAUST II",
        "goethe",
        "s",
        "go wolf",
        "über",
        "ÜBER fluß",
        "die räuber",
        "e\u0301",
        "é",
        "x",
        "xy",
        "x y",
        "prefix",
        "𝒜",
        "𐐨",
        "مر",
        "17",
        "caf, na",
        "naive caf",
        "naïve cafe",
        "café naïve",
        "uber den fl",
        "goethe s fau",
        "goethe wolf",
        "prefix prefix",
        "xy x",
        new string('W', 66),
        new string('w', 60),
        "off",
        "slash",
        "q",
    ];
    static readonly string[] TextFields = ["type", "name", "status", "owner", "createdBy", "updatedBy", "name"];
    static readonly string[] TimeFields = ["createdAt", "updatedAt", "deletedAt"];
    static readonly string[] Signs = ["=", "=", "!=", "<", "<=", ">", ">=", ":", ":"];
    static readonly long Start =
        new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero).UtcTicks / TimeSpan.TicksPerMicrosecond;

    readonly Random random = new(seed);
    readonly List<string> ids = [];
    readonly List<(string[] Path, JsonElement Value)> members = [];

    /// <summary>For the writer, so that one seed reproduces a run.</summary>
    public Random Random => random;

    /// <summary>A resource as clients see it.</summary>
    public JsonElement Resource()
    {
        var id = new byte[16];
        random.NextBytes(id);
        ids.Add(new Guid(id).ToString());
        var resource = JsonElement.Parse(
            $$"""
            {"id":"{{ids[^1]}}","type":{{Json(Pick("book", "film", "x_y", "xy"))}},"name":{{Json(
                Pick(Names)
            )}},"status":{{Json(Pick("active", "draft"))}},"metadata":{{Object(3)}},
            "owner":{{Json(Pick(Texts))}},"version":{{random.Next(1, 5)}},"createdAt":{{Json(
                Time(Micros())
            )}},"createdBy":{{Json(Pick(Texts))}},
            "updatedAt":{{Json(Time(Micros()))}},"updatedBy":{{Json(Pick(Texts))}},"deletedAt":{{(
                Chance(3) ? Json(Time(Micros())) : "null"
            )}}}
            """
        );
        Remember(["metadata"], resource.GetProperty("metadata"));
        return resource;
    }

    /// <summary>Filters ask for existing values. Arrays do not appear in paths.</summary>
    void Remember(string[] path, JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Object)
            foreach (var member in value.EnumerateObject())
                Remember([.. path, member.Name], member.Value);
        else if (value.ValueKind is JsonValueKind.Array)
            foreach (var item in value.EnumerateArray())
                Remember(path, item);
        else
            members.Add((path, value));
    }

    /// <summary>A filter with up to 2^<paramref name="depth"/> conditions.</summary>
    public FilterModel Filter(int depth) => depth is 0 ? Condition() : Joined(depth, Filter);

    FilterModel Joined(int depth, Func<int, FilterModel> part) =>
        random.Next(6) switch
        {
            0 or 1 => new FilterModel.All(part(depth - 1), part(depth - 1)),
            2 or 3 => new FilterModel.Any(part(depth - 1), part(depth - 1)),
            4 => new FilterModel.Negated(part(depth - 1)),
            _ => part(0),
        };

    FilterModel Condition()
    {
        if (Chance(10))
            return new FilterModel.Searched(Pick(Phrases), Chance(2));
        var (path, sign) = Subject();
        if (path is ["metadata", _, ..] && Chance(2))
            return OfMember(Pick(members), sign);
        if (!Chance(6))
            return Compared(0);
        return new FilterModel.Shared(path, sign, List(2));

        FilterModel List(int depth) => depth is 0 ? Compared(0) : Joined(depth, List);
        FilterModel Compared(int _) => new FilterModel.Compared(path, sign, Value(path, sign));
    }

    FilterModel.Compared OfMember((string[] Path, JsonElement Value) member, string sign) =>
        new(
            member.Path,
            sign,
            member.Value.ValueKind switch
            {
                JsonValueKind.String => Text(sign, member.Value.GetString()!),
                JsonValueKind.Number => new(ModelKind.Number, [member.Value.GetRawText()]),
                _ when sign is "=" or "!=" or ":" => new(ModelKind.Constant, [member.Value.GetRawText()]),
                _ => new(ModelKind.Number, [Pick(Numbers)]),
            }
        );

    (string[] Path, string Sign) Subject() =>
        random.Next(10) switch
        {
            0 => (["id"], Pick("=", "!=", ":")),
            1 => (["version"], Pick(Signs)),
            2 => ([Pick(TimeFields)], Pick(Signs)),
            3 or 4 => ([Pick(TextFields)], Pick(Signs)),
            5 => (["metadata"], ":"),
            _ => (["metadata", .. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pick(Keys))], Pick(Signs)),
        };

    ModelValue Value(string[] path, string sign)
    {
        if (sign is ":" && Chance(4))
            return new(ModelKind.Star, ["*"]);
        switch (path)
        {
            case ["id"]:
                return new(ModelKind.Id, [Pick(ids)]);
            case ["version"]:
                return new(ModelKind.Whole, [random.Next(0, 6).ToString(CultureInfo.InvariantCulture)]);
            case ["createdAt" or "updatedAt" or "deletedAt"]:
                var micros = Micros();
                return new(ModelKind.Time, [Spelled(micros)], micros);
            case ["metadata"]:
                return new(ModelKind.Text, [Pick(Keys)]);
            case ["name"] when sign is ":":
                return new(ModelKind.Text, [Pick(Phrases)]);
            case ["type" or "status"] when Chance(2):
                return Text(sign, Pick("book", "film", "x_y", "xy", "active", "draft"));
            case ["metadata", ..] when Chance(3):
                return new(ModelKind.Number, [Pick(Numbers)]);
            case ["metadata", ..] when sign is "=" or "!=" or ":" && Chance(4):
                return new(ModelKind.Constant, [Pick("true", "false", "null")]);
            default:
                return Text(sign, Pick(path is ["name"] ? Names : Texts));
        }
    }

    /// <summary>The text, or one with wildcards in place of some parts. Surrogate pairs stay whole.</summary>
    ModelValue Text(string sign, string text)
    {
        if (sign is "<" or "<=" or ">" or ">=" || Chance(2))
            return new(ModelKind.Text, [text]);
        // Two cuts: what is between them is gone, or stays between two wildcards.
        var runes = text.EnumerateRunes().Select(rune => rune.ToString()).ToArray();
        var one = random.Next(runes.Length + 1);
        var other = random.Next(runes.Length + 1);
        var start = Math.Min(one, other);
        var end = Math.Max(one, other);
        var head = string.Concat(runes[..start]);
        var middle = string.Concat(runes[start..end]);
        var tail = string.Concat(runes[end..]);
        return new(
            ModelKind.Text,
            Pick<string[]>([head, ""], [head, tail], [head, middle, tail], ["", middle, ""], ["", tail])
        );
    }

    string Json(int depth) =>
        random.Next(depth > 0 ? 9 : 6) switch
        {
            0 or 1 => Json(Pick(Texts)),
            2 or 3 => Pick(Numbers),
            4 => Pick("true", "false"),
            5 => "null",
            6 => $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Json(depth - 1)))}]",
            _ => Object(depth - 1),
        };

    string Object(int depth)
    {
        var keys = Enumerable.Range(0, random.Next(1, 5)).Select(_ => Pick(Keys)).Distinct();
        return $"{{{string.Join(',', keys.Select(key => $"{Json(key)}:{Json(depth)}"))}}}";
    }

    string Json(string text) => JsonSerializer.Serialize(text, Chance(2) ? Plain : Escaped);

    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonSerializerOptions Escaped = new() { Encoder = JavaScriptEncoder.Default };

    long Micros() => Start + random.Next(4) * 500_001L;

    static string Time(long micros) =>
        At(micros, TimeSpan.Zero).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);

    string Spelled(long micros) =>
        Chance(2)
            ? Time(micros)
            : At(micros, TimeSpan.FromHours(random.Next(-3, 4)))
                .ToString("yyyy-MM-ddTHH:mm:ss.ffffff'789'zzz", CultureInfo.InvariantCulture);

    static DateTimeOffset At(long micros, TimeSpan offset) =>
        new DateTimeOffset(micros * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero).ToOffset(offset);

    bool Chance(int one) => random.Next(one) is 0;

    T Pick<T>(params IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];
}
