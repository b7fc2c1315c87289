namespace Resources.Silo;

/// <summary>The node's private PostgreSQL cannot run; the message says why and what to do about it.</summary>
public sealed class EmbeddedPostgresException(string message, Exception? cause = null)
    : ConfigurationException(message, cause);
