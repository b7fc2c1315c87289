using System.Text.RegularExpressions;
using Marten.Events.Projections;
using Npgsql;

namespace Resources.Projections;

/// <summary>
/// A read model: tables computed from the log, in generations. A feature registers its own as a singleton; one node of
/// the cluster keeps it up to date, and operators see it as a follower of the same name.
/// </summary>
/// <remarks>
/// The feature's scripts bring a row in <c>followers</c> with the name, and the SQL functions <c>create_NAME(generation)</c>,
/// <c>index_NAME(generation)</c>, <c>publish_NAME(generation)</c> and <c>drop_other_NAME(generation, building)</c>, and
/// call <c>secure_read_model(NAME)</c>.
/// </remarks>
public sealed partial record ReadModel
{
    /// <param name="name">The follower's name, and the end of the names of its SQL functions.</param>
    /// <param name="subject">The first part of the names of its events: <c>resource</c> for <c>resource.created</c>.</param>
    /// <param name="project">Makes the projection that keeps the tables of a generation.</param>
    public ReadModel(string name, string subject, Func<int, IProjection> project)
    {
        if (!Identifier.IsMatch(name))
            throw new ArgumentException("The name of a read model is part of SQL identifiers.", nameof(name));
        Name = name;
        Subject = subject;
        Project = project;
    }

    public string Name { get; }

    public string Subject { get; }

    public Func<int, IProjection> Project { get; }

    /// <summary>
    /// The next piece of work beside the log, for whoever keeps a generation to do between its pages; null = none for now.
    /// </summary>
    public Func<IProjection, ReadModelWork?> NextWork { get; init; } = _ => null;

    [GeneratedRegex("^[a-z][a-z_]{0,39}$", RegexOptions.CultureInvariant)]
    private static partial Regex Identifier { get; }
}

/// <summary>A piece of work on the tables of a generation. No page is applied beside it.</summary>
public delegate Task ReadModelWork(NpgsqlTransaction transaction, CancellationToken ct);

/// <summary>An event that a read model needs and that cannot be applied. An operator may skip it.</summary>
public sealed class PoisonEventException(long position, string reason, Exception? cause = null)
    : Exception(reason, cause)
{
    /// <summary>Where the event is in the log.</summary>
    public long Position { get; } = position;
}
