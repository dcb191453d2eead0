namespace Gateway.Edge.Admission.Budgets;

/// <summary>One contact with Redis at a time, and another one after it when somebody asked for it meanwhile.</summary>
/// <param name="serve">The contact.</param>
/// <param name="failed">Told what a contact threw: a defect of ours must not leave requests waiting for ever.</param>
internal sealed class LeaseContact(Func<Task> serve, Action<Exception> failed)
{
    private int kicked;
    private int contacting;

    /// <summary>Asks for a contact.</summary>
    public void Kick()
    {
        Again();
        if (TryEnter())
        {
            _ = Task.Run(RunAsync);
        }
    }

    /// <summary>The contact under way is followed by another one.</summary>
    public void Again() => Volatile.Write(ref kicked, 1);

    /// <summary>Keeps contacts away; false when one is under way.</summary>
    public bool TryEnter() => Interlocked.CompareExchange(ref contacting, 1, 0) == 0;

    /// <summary>Contacts may come again, and one does that was asked for meanwhile.</summary>
    public void Leave()
    {
        Volatile.Write(ref contacting, 0);
        if (Volatile.Read(ref kicked) == 1)
        {
            Kick();
        }
    }

    private async Task RunAsync()
    {
        do
        {
            try
            {
                while (Interlocked.Exchange(ref kicked, 0) == 1)
                {
                    await serve();
                }
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                failed(error);
            }
            finally
            {
                Volatile.Write(ref contacting, 0);
            }
        }
        while (Volatile.Read(ref kicked) == 1 && TryEnter());
    }
}
