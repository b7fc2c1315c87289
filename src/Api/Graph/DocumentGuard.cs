using GraphQLParser;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>
/// Limits of a parsed document. They come before its validation, which takes time with the square of what is the same in
/// it. Fragments count wherever they are spread.
/// </summary>
sealed class DocumentGuard
{
    public const int MaxOperations = 50;
    public const int MaxFragments = 50;
    public const int MaxRootFields = 20;
    public const int MaxAliases = 50;
    public const int MaxFields = 1_000;
    public const int MaxSameName = 20;
    public const int MaxDepth = 12;
    public const int MaxDirectives = 5;
    public const int MaxArguments = 50;
    public const int MaxVariables = 100;
    public const int MaxIntrospectedLists = 3;

    /// <summary>All definitions together may have so many fields: each is validated by itself, too.</summary>
    const int MaxSteps = 5 * MaxFields;

    readonly Dictionary<ROM, GraphQLFragmentDefinition> fragments = [];
    readonly HashSet<ROM> open = [];
    int fields;
    int steps;

    /// <summary>What the document has too much of; null when it is within the limits.</summary>
    public string? TooMuch { get; private set; }

    public bool AsksForSchema { get; private set; }

    /// <summary>
    /// Whether a selection may have fields that become one, with what both select. The library makes such a field anew for
    /// each execution.
    /// </summary>
    public bool Merges { get; private set; }

    /// <summary>Looks through a document.</summary>
    public static DocumentGuard Look(GraphQLDocument document)
    {
        var guard = new DocumentGuard();
        try
        {
            guard.Check(document);
        }
        catch (LimitException e)
        {
            guard.TooMuch = e.Message;
        }
        return guard;
    }

    void Check(GraphQLDocument document)
    {
        var count = 0;
        foreach (var fragment in document.Definitions.OfType<GraphQLFragmentDefinition>())
        {
            Bound(++count, MaxFragments, "fragments");
            fragments.TryAdd(fragment.FragmentName.Name.Value, fragment);
        }
        var (aliases, operations) = (0, 0);
        foreach (var definition in document.Definitions)
        {
            fields = 0;
            if (definition is GraphQLOperationDefinition operation)
            {
                Bound(++operations, MaxOperations, "operations");
                Bound(operation.Variables?.Count ?? 0, MaxVariables, "variables");
                Bound(Walk(operation.SelectionSet, [], 1, 0), MaxRootFields, "fields at its root");
                aliases += Aliases(operation.SelectionSet);
            }
            else if (definition is GraphQLFragmentDefinition fragment)
            {
                Walk(fragment.SelectionSet, [], 1, 0);
                aliases += Aliases(fragment.SelectionSet);
            }
            else
                throw new LimitException("A document has operations and fragments, and no definitions of types.");
        }
        Bound(aliases, MaxAliases, "aliases");
    }

    /// <summary>Walks through a selection and everything it spreads; returns how many fields it has by itself.</summary>
    int Walk(GraphQLSelectionSet? set, Dictionary<ROM, int> names, int depth, int lists)
    {
        var own = 0;
        foreach (var selection in set?.Selections ?? [])
        {
            Bound(++steps, MaxSteps, "fields in all its parts");
            Bound((selection as IHasDirectivesNode)?.Directives?.Count ?? 0, MaxDirectives, "directives at one place");
            switch (selection)
            {
                case GraphQLField field:
                    own++;
                    AsksForSchema |= field.Name.Value.Span is "__schema" or "__type";
                    Bound(++fields, MaxFields, "fields");
                    Bound(field.Arguments?.Count ?? 0, MaxArguments, "arguments of a field");
                    if (field.Directives is { } directives)
                        foreach (var directive in directives)
                            Bound(directive.Arguments?.Count ?? 0, MaxArguments, "arguments of a directive");
                    var name = field.Alias?.Name.Value ?? field.Name.Value;
                    names[name] = names.GetValueOrDefault(name) + 1;
                    Bound(names[name], MaxSameName, "fields of one name in a selection");
                    Merges |= names[name] > 1 && (field.SelectionSet is not null || field.Arguments?.Count > 0);
                    if (field.SelectionSet is null)
                        break;
                    // The introspection of every tool asks for seven wrappers of a type, of which most are not there.
                    var below = field.Name.Value.Span is "ofType" ? depth : depth + 1;
                    Bound(below, MaxDepth, "levels of selections");
                    var within =
                        lists
                        + (
                            field.Name.Value.Span
                                is "fields"
                                    or "inputFields"
                                    or "possibleTypes"
                                    or "interfaces"
                                    or "args"
                                ? 1
                                : 0
                        );
                    Bound(within, MaxIntrospectedLists, "lists of the introspection within each other");
                    Walk(field.SelectionSet, [], below, within);
                    break;
                case GraphQLInlineFragment inline:
                    own += Walk(inline.SelectionSet, names, depth, lists);
                    break;
                case GraphQLFragmentSpread spread:
                    var fragment = spread.FragmentName.Name.Value;
                    if (!fragments.TryGetValue(fragment, out var found))
                        break;
                    if (!open.Add(fragment))
                        throw new LimitException("A fragment contains itself.");
                    own += Walk(found.SelectionSet, names, depth, lists);
                    open.Remove(fragment);
                    break;
            }
        }
        return own;
    }

    static int Aliases(GraphQLSelectionSet? set) =>
        (set?.Selections ?? []).Sum(selection =>
            selection switch
            {
                GraphQLField field => (field.Alias is null ? 0 : 1) + Aliases(field.SelectionSet),
                GraphQLInlineFragment inline => Aliases(inline.SelectionSet),
                _ => 0,
            }
        );

    static void Bound(int count, int most, string what)
    {
        if (count > most)
            throw new LimitException($"A document has at most {most} {what}.");
    }

    sealed class LimitException(string message) : Exception(message);
}
