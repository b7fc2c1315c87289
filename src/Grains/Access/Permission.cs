namespace Resources.Grains;

/// <summary>
/// One permission: <c>object:action</c>. A trailing <c>:own</c> limits it to the account's own objects. For resources a
/// type may be given: <c>resource/bicycle:update:own</c>. <c>*</c> stands for everything, <c>object:*</c> for all
/// actions on an object.
/// </summary>
/// <param name="Object">Null for all.</param>
/// <param name="Type">The only resource type; null for all.</param>
/// <param name="Action">Null for all.</param>
public sealed record Permission(string? Object, string? Type, string? Action, bool Own)
{
    const string Any = "*";
    const string OwnPart = "own";

    /// <summary>Whether it is an action on resources of one type.</summary>
    public bool IsOfType => Type is not null && Action is not null;

    /// <summary>Reads a permission; null when the text is not one.</summary>
    public static Permission? Parse(string text)
    {
        if (text is Any)
            return new(null, null, null, false);
        var parts = text.Split(':');
        if (parts.Length is not (2 or 3) || parts.Length is 3 && parts[2] is not OwnPart || parts[1] is "")
            return null;
        var (name, type) = parts[0].IndexOf('/', StringComparison.Ordinal) is >= 0 and var at
            ? (parts[0][..at], parts[0][(at + 1)..])
            : (parts[0], null);
        if (name is "" or Any || type is not null && (name is not "resource" || !Slug.IsValid(type)))
            return null;
        return new(name, type, parts[1] is Any ? null : parts[1], parts.Length is 3);
    }

    /// <summary>Whether it allows an action on at least some objects.</summary>
    public bool Grants(string name, string action) =>
        (Object is null || Object == name) && (Action is null || Action == action);

    /// <summary>Whether it allows everything that another permission allows.</summary>
    public bool Covers(Permission other) =>
        (Object is null || Object == other.Object)
        && (Type is null || Type == other.Type)
        && (Action is null || Action == other.Action)
        && (!Own || other.Own);

    /// <summary>The permission to do what both allow; null when there is nothing.</summary>
    public Permission? Intersect(Permission other)
    {
        if (Object is not null && other.Object is not null && Object != other.Object)
            return null;
        if (Type is not null && other.Type is not null && Type != other.Type)
            return null;
        if (Action is not null && other.Action is not null && Action != other.Action)
            return null;
        return new(Object ?? other.Object, Type ?? other.Type, Action ?? other.Action, Own || other.Own);
    }

    public override string ToString() =>
        Object is null && Action is null && !Own
            ? Any
            : $"{Object ?? Any}{(Type is null ? "" : "/" + Type)}:{Action ?? Any}{(Own ? ":" + OwnPart : "")}";
}
