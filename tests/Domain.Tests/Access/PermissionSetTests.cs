using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>
/// Permissions, compared with a model that checks one small world case by case. The world has an object, an action and
/// a type that no permission names, so only <c>*</c> allows them.
/// </summary>
public class PermissionSetTests
{
    const string Me = "me";
    const string SomebodyElse = "somebody else";

    static readonly (string Object, string Action, string Type, bool Own)[] World =
    [
        .. from name in new[] { "resource", "subscription", "later" }
        from action in new[] { "read", "update", "later" }
        from type in new[] { "bicycle", "car", "later" }
        from own in new[] { true, false }
        select (name, action, type, own),
    ];

    static readonly Gen<string> Text = Gen.Frequency(
        (1, Gen.Const("*")),
        (
            12,
            Gen.Select(
                    Gen.OneOf("resource", "resource/bicycle", "resource/car", "subscription"),
                    Gen.OneOf("read", "update", "*"),
                    Gen.OneOf("", ":own")
                )
                .Select((name, action, own) => $"{name}:{action}{own}")
        )
    );

    static readonly Gen<string[]> Texts = Text.Array[0, 5];

    static readonly Gen<Scope> AnyScope = Texts.Select(texts => PermissionSet.Of(texts).ScopeOf("resource:read"));

    /// <summary>Whether one of the texts, taken by itself, allows a case.</summary>
    static bool Allows(IEnumerable<string> texts, (string Object, string Action, string Type, bool Own) asked) =>
        texts.Any(text =>
        {
            if (text is "*")
                return true;
            var parts = text.Split(':', '/');
            var type = text.Contains('/', StringComparison.Ordinal) ? parts[1] : asked.Type;
            var own = text.EndsWith(":own", StringComparison.Ordinal);
            var action = parts[own ? ^2 : ^1];
            return parts[0] == asked.Object
                && type == asked.Type
                && (action is "*" || action == asked.Action)
                && (!own || asked.Own);
        });

    static bool Allows(PermissionSet set, (string Object, string Action, string Type, bool Own) asked) =>
        Allows(set.ScopeOf($"{asked.Object}:{asked.Action}"), asked.Type, asked.Own);

    static bool Allows(Scope scope, string type, bool own) => scope.Allows(type, own ? Me : SomebodyElse, Me);

    [Fact]
    public void Set_allows_what_any_of_its_permissions_allows() =>
        Texts.Sample(texts => World.All(asked => Allows(PermissionSet.Of(texts), asked) == Allows(texts, asked)));

    [Fact]
    public void Set_covers_another_exactly_when_it_allows_everything_the_other_allows() =>
        Gen.Select(Texts, Texts)
            .Sample(
                (one, other) =>
                    PermissionSet.Of(one).Covers(PermissionSet.Of(other))
                    == World.All(asked => Allows(one, asked) || !Allows(other, asked))
            );

    [Fact]
    public void Intersection_allows_what_both_sets_allow() =>
        Gen.Select(Texts, Texts)
            .Sample(
                (one, other) =>
                    PermissionSet.Of(one).Intersect(PermissionSet.Of(other)) is var common
                    && World.All(asked => Allows(common, asked) == (Allows(one, asked) && Allows(other, asked)))
            );

    [Fact]
    public void Union_allows_what_any_set_allows() =>
        Texts
            .Array[0, 3]
            .Sample(sets =>
                PermissionSet.Union(sets.Select(PermissionSet.Of)) is var union
                && World.All(asked => Allows(union, asked) == sets.Any(texts => Allows(texts, asked)))
            );

    [Fact]
    public void Equal_sets_have_equal_texts_and_parse_back() =>
        Gen.Select(Texts, Texts)
            .Sample(
                (one, other) =>
                {
                    var first = PermissionSet.Of(one).ToTexts();
                    var second = PermissionSet.Of(other).ToTexts();
                    return first.SequenceEqual(second) == World.All(asked => Allows(one, asked) == Allows(other, asked))
                        && PermissionSet.Of(first).ToTexts().SequenceEqual(first)
                        && first.Length <= one.Length;
                }
            );

    [Fact]
    public void Intersection_of_scopes_contains_what_both_contain() =>
        Gen.Select(AnyScope, AnyScope)
            .Sample(
                (one, other) =>
                    World.All(asked =>
                        Allows(one.Intersect(other), asked.Type, asked.Own)
                        == (Allows(one, asked.Type, asked.Own) && Allows(other, asked.Type, asked.Own))
                    )
            );

    [Fact]
    public void Equivalent_scopes_are_equal_and_have_one_name() =>
        Gen.Select(AnyScope, AnyScope)
            .Select((one, other) => (one, other, one.Intersect(other)))
            .Sample(
                (one, other, both) =>
                {
                    foreach (var (left, right) in new[] { (one, other), (one, both), (both, other) })
                    {
                        var same = World.All(asked =>
                            Allows(left, asked.Type, asked.Own) == Allows(right, asked.Type, asked.Own)
                        );
                        if (
                            left.Equals(right) != same
                            || left.Of(Me)?.ToString() == right.Of(Me)?.ToString() != same
                            || same && left.GetHashCode() != right.GetHashCode()
                        )
                            return false;
                    }
                    return one.IsNothing == World.All(asked => !Allows(one, asked.Type, asked.Own))
                        && one.IsAll == World.All(asked => Allows(one, asked.Type, asked.Own));
                }
            );

    [Fact]
    public void Types_named_like_keywords_have_distinct_names()
    {
        string Name(params string[] texts) => PermissionSet.Of(texts).ScopeOf("resource:read").Of(Me)!.ToString();
        Assert.NotEqual(
            Name("resource/a:read", "resource/own:read", "resource/z:read:own"),
            Name("resource/a:read", "resource/own:read:own", "resource/z:read:own")
        );
        Assert.NotEqual(Name("resource/a:read", "resource/b:read"), Name("resource/a:read", "resource/b:read:own"));
    }
}
