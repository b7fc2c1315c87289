namespace Resources.Grains;

/// <summary>The kinds of operations.</summary>
internal enum PatchKind
{
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,

    // Not of JSON Patch.
    Increment,
    AddToSet,
    RemoveFromSet,
}
