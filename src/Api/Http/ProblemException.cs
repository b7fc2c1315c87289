namespace Resources.Api;

/// <summary>
/// A failure that is thrown with its problem, so that features define their own and <see cref="Problems"/> lists none.
/// </summary>
/// <param name="detail">Sent to the client.</param>
public class ProblemException(ProblemType type, string detail) : Exception(detail)
{
    public ProblemType Type { get; } = type;
}
