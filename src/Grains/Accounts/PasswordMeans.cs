namespace Resources.Grains;

/// <summary>How a password comes to be changed.</summary>
public enum PasswordMeans
{
    Change,
    Reset,
    Rehash,

    /// <summary>Another registration with an address that nobody has verified yet.</summary>
    Registration,
}
