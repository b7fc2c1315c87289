namespace Resources.Grains;

/// <summary>
/// A place in a value that is checked. It becomes a pointer only where a fault is reported, as names of members may be long.
/// </summary>
internal sealed class ValuePlace
{
    readonly ValuePlace? above;
    readonly string step;

    ValuePlace(ValuePlace? above, string step)
    {
        this.above = above;
        this.step = step;
    }

    /// <summary>The place of a whole value.</summary>
    public static ValuePlace Of(string pointer) => new(null, pointer);

    public ValuePlace Below(string name) => new(this, name);

    /// <summary>The pointer, or that of the closest place above which is not too long.</summary>
    public string Pointer()
    {
        var steps = new Stack<string>();
        var place = this;
        for (; place.above is { } next; place = next)
            steps.Push(place.step);
        var pointer = place.step;
        foreach (var name in steps)
        {
            if (pointer.Length + name.Length >= FaultList.MaxPointer)
                break;
            pointer = JsonPointer.Append(pointer, name);
        }
        return pointer;
    }
}
