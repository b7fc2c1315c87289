using JasperFx.Events;
using JasperFx.Events.Daemon;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>What a page of events does to one row of the resource views; a null member stays as it is.</summary>
sealed class ResourceViewChange(Guid id)
{
    public Guid Id { get; } = id;
    public ResourceCreated? Created { get; private set; }
    public string? Name { get; private set; }
    public string? NameWords { get; private set; }
    public string? Status { get; private set; }
    public string? Metadata { get; private set; }
    public string? MetadataWords { get; private set; }
    public long Version { get; private set; }
    public string? CreatedAt { get; private set; }
    public string? CreatedBy { get; private set; }
    public string UpdatedAt { get; private set; } = "";
    public string UpdatedBy { get; private set; } = "";
    public bool Deletion { get; private set; }
    public string? DeletedAt { get; private set; }

    /// <summary>Whether the resource was checked against its type.</summary>
    public bool IsChecked { get; private set; }

    /// <summary>The version of the type that it was checked against last.</summary>
    public long? TypeVersion { get; private set; }

    /// <summary>The changes of a page, one a resource.</summary>
    /// <exception cref="ApplyEventException">An event that cannot be applied; it carries the event.</exception>
    public static IReadOnlyCollection<ResourceViewChange> Fold(IReadOnlyList<IEvent> events)
    {
        var changes = new Dictionary<Guid, ResourceViewChange>();
        foreach (var stored in events)
        {
            if (stored.Data is not ResourceEvent data)
                continue;
            if (!changes.TryGetValue(stored.StreamId, out var change))
                changes[stored.StreamId] = change = new(stored.StreamId);
            try
            {
                change.Fold(data, stored);
            }
            catch (Exception e)
            {
                throw new ApplyEventException(stored, e);
            }
        }
        return changes.Values;
    }

    void Fold(ResourceEvent data, IEvent stored)
    {
        Version = stored.Version;
        UpdatedAt = stored.Timestamp.ToString("O");
        UpdatedBy = Present(stored.UserName);
        if (data is not ResourceDeleted)
            (IsChecked, TypeVersion) = (true, data.TypeVersion);
        switch (data)
        {
            case ResourceCreated e:
                Created = e with { Type = Present(e.Type), Owner = Present(e.Owner) };
                CreatedAt = UpdatedAt;
                CreatedBy = UpdatedBy;
                Become(e.Name, e.Status, e.Metadata);
                break;
            case ResourceReplaced e:
                Become(e.Name, e.Status, e.Metadata);
                break;
            case ResourceRenamed e:
                Rename(e.Name);
                break;
            case ResourceStatusChanged e:
                Status = Present(e.Status);
                break;
            case ResourceMetadataChanged e:
                Describe(e.Metadata);
                break;
            case ResourceChanged e:
                Change(e.Name, e.Status, e.Metadata);
                break;
            case ResourceDeleted:
                (Deletion, DeletedAt) = (true, UpdatedAt);
                break;
            case ResourceRestored e:
                (Deletion, DeletedAt) = (true, null);
                Change(e.Name, e.Status, e.Metadata);
                break;
            case ResourceMigrated e:
                Status = Present(e.Status);
                Describe(e.Metadata);
                break;
            default:
                throw new InvalidOperationException($"No arm for {data.GetType().Name}.");
        }
    }

    void Become(string name, string status, JsonText metadata)
    {
        Rename(name);
        Status = Present(status);
        Describe(metadata);
    }

    void Change(string? name, string? status, JsonText? metadata)
    {
        if (name is not null)
            Rename(name);
        Status = status ?? Status;
        if (metadata is not null)
            Describe(metadata);
    }

    void Rename(string name)
    {
        Name = Present(name);
        NameWords = SearchVector.OfName(name);
    }

    void Describe(JsonText metadata)
    {
        Metadata = Present(metadata).ToString();
        MetadataWords = SearchVector.OfMetadata(metadata);
    }

    /// <summary>JSON may lack a member that a type demands; a row must not.</summary>
    static T Present<T>(T? value)
        where T : class => value ?? throw new InvalidDataException("The event lacks a member.");
}
