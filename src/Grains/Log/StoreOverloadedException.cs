namespace Resources.Grains;

/// <summary>
/// PostgreSQL answers, but every connection of a pool has been in use for seconds: the statement was not sent, and it
/// may succeed in a moment.
/// </summary>
[GenerateSerializer, Alias("store-overloaded")]
public class StoreOverloadedException(string message) : StoreUnavailableException(message);

/// <summary>The caller has as much in memory that it has not received yet as a node keeps for one.</summary>
[GenerateSerializer, Alias("answers-not-received")]
public sealed class AnswersNotReceivedException()
    : StoreOverloadedException("A caller has not received what was read for it.");

/// <summary>The callers of a node have as much in memory as it keeps for all of them.</summary>
[GenerateSerializer, Alias("read-memory-full")]
public sealed class ReadMemoryFullException() : StoreOverloadedException("A node has no more memory for what is read.");

/// <summary>All connections for searches have been in use for seconds.</summary>
[GenerateSerializer, Alias("searches-busy")]
public sealed class SearchesBusyException() : StoreOverloadedException("Too many searches are under way.");
