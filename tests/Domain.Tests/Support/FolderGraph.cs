using System.Text.RegularExpressions;

namespace Resources.Domain.Tests;

/// <summary>
/// Which folders of a project use types or extension methods of which others, by their names in the code. Files at the
/// root of a project compose it, and may know everything.
/// </summary>
sealed partial class FolderGraph
{
    readonly Dictionary<string, string> code = [];
    readonly Dictionary<string, string> types = [];
    readonly Dictionary<string, HashSet<string>> extensions = [];
    IReadOnlyList<(string From, string To, string Where)>? uses;

    public FolderGraph(string project)
    {
        foreach (var path in Repository.Sources("src/" + project))
        {
            var text = TextOrComment().Replace(Repository.Read(path), "\"\"");
            code[path] = text;
            foreach (Match match in Declared().Matches(text))
                types.TryAdd(match.Groups["name"].Value, Folder(path));
            foreach (Match match in Extension().Matches(text))
                (
                    extensions.TryGetValue(match.Groups[1].Value, out var folders)
                        ? folders
                        : extensions[match.Groups[1].Value] = []
                ).Add(Folder(path));
        }
    }

    /// <summary>Every use of one folder by another, with the file and the name that show it.</summary>
    public IReadOnlyList<(string From, string To, string Where)> Uses() =>
        uses ??= [
            .. (
                from file in code
                let folder = Folder(file.Key)
                where folder is not ""
                from use in TypesIn(file.Value).Concat(CallsIn(file.Value))
                where use.Folder is not "" && use.Folder != folder
                select (folder, use.Folder, $"{file.Key}: {use.Name}")
            ).Distinct(),
        ];

    /// <summary>A way from a folder back to itself; null when there is none.</summary>
    public string? Cycle()
    {
        var next = Uses().ToLookup(use => use.From);
        foreach (var start in next.Select(group => group.Key))
        {
            var ways = new Queue<string[]>([
                [start],
            ]);
            var seen = new HashSet<string>();
            while (ways.TryDequeue(out var way))
                foreach (var folder in next[way[^1]].Select(use => use.To).Distinct())
                    if (folder == start)
                        return string.Join(" -> ", [.. way, folder]);
                    else if (seen.Add(folder))
                        ways.Enqueue([.. way, folder]);
        }
        return null;
    }

    static string Folder(string path) => path.Split('/') is [_, _, var folder, _, ..] ? folder : "";

    IEnumerable<(string Name, string Folder)> TypesIn(string text)
    {
        var own = Member().Matches(text).Select(match => match.Groups[1].Value).ToHashSet();
        foreach (var name in Word().Matches(text).Where(IsType).Select(match => match.Value).Distinct())
            if (types.TryGetValue(name, out var folder) && !own.Contains(name))
                yield return (name, folder);

        bool IsType(Match match)
        {
            var before = text[..match.Index].TrimEnd();
            var previous = Previous().Match(before).Value;
            // A word behind another one names a member, a parameter or a variable.
            var isName = previous is not "" && !Keyword().IsMatch(previous) && match.Index > before.Length;
            return !isName && !text[(match.Index + match.Length)..].TrimStart().StartsWith(':');
        }
    }

    IEnumerable<(string Name, string Folder)> CallsIn(string text)
    {
        foreach (var name in Call().Matches(text).Select(match => match.Groups[1].Value).Distinct())
            // A name that several folders have tells nothing.
            if (extensions.TryGetValue(name, out var folders) && folders.Count is 1)
                yield return (name, folders.Single());
    }

    [GeneratedRegex("\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\\n])*\"|//[^\\n]*", RegexOptions.Singleline)]
    private static partial Regex TextOrComment();

    [GeneratedRegex(
        @"^(?:\w+ )*?(?:class|record struct|record|struct|interface|enum) (?<name>[A-Z]\w*)"
            + @"|^(?:\w+ )*delegate [\w<>?,\[\]]+ (?<name>\w+)\(",
        RegexOptions.Multiline
    )]
    private static partial Regex Declared();

    [GeneratedRegex(@"static[^=;{}()]*?\s(\w+)(?:<[^>]*>)?\(\s*this\s")]
    private static partial Regex Extension();

    [GeneratedRegex(@"static readonly [\w<>?\[\]]+ (\w+)")]
    private static partial Regex Member();

    [GeneratedRegex(@"(?<![.\w])[A-Z]\w*\b")]
    private static partial Regex Word();

    [GeneratedRegex(@"[\w>\]?]+$")]
    private static partial Regex Previous();

    [GeneratedRegex(@"\.(\w+)\s*(?:<[^<>]*>)?\(")]
    private static partial Regex Call();

    [GeneratedRegex(
        "^(new|return|is|as|in|await|case|out|ref|throw|params|this|readonly|static|public|internal|required|override|"
            + "abstract|virtual|async|sealed|not|or|and|const|event|using|else|where|init|private|protected|with|yield|"
            + "delegate|implicit|explicit|operator|partial|when|typeof|nameof)$"
    )]
    private static partial Regex Keyword();
}
