namespace Resources.Grains;

/// <summary>A location in a document: its pointer and the steps to it.</summary>
internal sealed record Place(string Pointer, string[] Steps);
