namespace Resources.Grains;

/// <summary>Permits to add to a key's window in the database.</summary>
public sealed record KeptWindow(string Key, long Start, long Ends, int Granted);
