namespace Resources.Grains;

/// <summary>
/// PostgreSQL answers, but every connection of a pool has been in use for seconds: the statement was not sent, and it
/// may succeed in a moment.
/// </summary>
[GenerateSerializer, Alias("store-overloaded")]
public class StoreOverloadedException(string message) : StoreUnavailableException(message);

/// <summary>All connections for searches have been in use for seconds.</summary>
[GenerateSerializer, Alias("searches-busy")]
public sealed class SearchesBusyException() : StoreOverloadedException("Too many searches are under way.");
